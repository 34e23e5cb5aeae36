/** Of whom the audit log keeps something personal, under a key that can be destroyed. */
export const subjectKinds = ['end-user', 'admin', 'key', 'address'] as const
export type SubjectKind = (typeof subjectKinds)[number]

export interface Subject {
  readonly kind: SubjectKind
  /** Of end users, whose names are their organization's own; else empty. */
  readonly organizationId: string
  readonly id: string
}

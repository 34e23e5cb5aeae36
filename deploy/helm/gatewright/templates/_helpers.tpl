{{- define "gatewright.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "gatewright.fullname" -}}
{{- $name := include "gatewright.name" . -}}
{{ (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "gatewright.selector" -}}
app.kubernetes.io/name: {{ include "gatewright.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gatewright.labels" -}}
{{ include "gatewright.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "gatewright.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end -}}
{{- end }}

{{/* What the chart knows; `config` of the values goes over it. */}}
{{- define "gatewright.config" -}}
gateway:
  workers: {{ .Values.workers }}
  http: { host: 127.0.0.1, port: 8080 }
  https: { host: 0.0.0.0, port: 8443 }
control:
  http: { enabled: false }
  https: { host: 0.0.0.0, port: 9443 }
storage:
  kind: {{ .Values.storage.kind }}
  url: file:/run/secrets/gatewright/database-url
counters:
  kind: {{ .Values.counters.kind }}
{{- if eq .Values.counters.kind "valkey" }}
  url: file:/run/secrets/gatewright/counters-url
{{- end }}
{{- if .Values.tls.existingSecret }}
tls:
  certificateFile: /run/secrets/tls/tls.crt
  keyFile: /run/secrets/tls/tls.key
{{- else }}
tls:
  hostnames:
    - localhost
    - {{ include "gatewright.fullname" . }}
    - {{ include "gatewright.fullname" . }}.{{ .Release.Namespace }}.svc
    - {{ include "gatewright.fullname" . }}-control
    - {{ include "gatewright.fullname" . }}-control.{{ .Release.Namespace }}.svc
{{- end }}
{{- end }}

{{/* No rights at all, on a file system that cannot be written. */}}
{{- define "gatewright.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
privileged: false
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

type State = 'active' | 'paused'

export function describe(state: State): string {
  switch (state) {
    case 'active':
      return 'runs'
  }
  return ''
}

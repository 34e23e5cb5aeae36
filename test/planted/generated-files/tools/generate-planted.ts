if (process.argv.includes('--check')) {
  process.stderr.write('docs/reference/planted.md is not what the generator writes\n')
  process.exitCode = 1
}

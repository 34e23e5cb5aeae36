// Health check of the image: exit code 0 when the data plane answers /livez on loopback, else 1.

const url = process.argv[2] ?? 'http://127.0.0.1:8080/livez'

try {
  const response = await fetch(url, { signal: AbortSignal.timeout(2500) })
  process.exitCode = response.status === 200 ? 0 : 1
} catch {
  process.exitCode = 1
}

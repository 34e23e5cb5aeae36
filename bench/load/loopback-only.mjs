// Preloaded into programs that would listen on every address: makes each TCP listener one of 127.0.0.1.
import { Server } from 'node:net'

const listen = Server.prototype.listen
Server.prototype.listen = function listenOnLoopback(first, ...rest) {
  const callback = [first, ...rest].find((argument) => typeof argument === 'function')
  const port = typeof first === 'object' && first !== null ? first.port : Number(first)
  return listen.call(this, { port, host: '127.0.0.1' }, callback)
}

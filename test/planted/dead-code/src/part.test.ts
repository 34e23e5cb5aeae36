import { tested } from './part.ts'
import { sample } from './sample.ts'

process.exitCode = tested - sample

#!/usr/bin/env node
// The `gatewright` command: runs the command line of the project with the Node.js it pins.

import { runProgram } from './pinned-node.mjs'

runProgram('src/cli/main.ts', process.argv.slice(2))

const two = 2
export { two as default }

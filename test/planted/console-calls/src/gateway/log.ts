console.log('a request came')

console.log('usage')

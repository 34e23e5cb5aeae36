import { getOperation } from '../../resource.ts'
import { products } from '../../resources/products.ts'

export const productGet = getOperation(products)

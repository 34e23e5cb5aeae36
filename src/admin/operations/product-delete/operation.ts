import { removeOperation } from '../../resource.ts'
import { products } from '../../resources/products.ts'

/** Refused while subscriptions refer to the product. */
export const productDelete = removeOperation(products)

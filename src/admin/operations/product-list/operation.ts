import { Type } from 'typebox'
import { listOperation } from '../../resource.ts'
import { productState, products } from '../../resources/products.ts'

export const productList = listOperation(products, { state: Type.Optional(productState) })

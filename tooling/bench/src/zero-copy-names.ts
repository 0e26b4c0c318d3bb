/** Names in the embedded AWS of the bench. */
export const bucket = 'bench'
export const region = 'us-east-1'
export const database = 'shop'
export const table = 'orders'

/** Names in the embedded AWS of the bench. */
export const bucket = 'bench'
export const region = 'us-east-1'
export const database = 'shop'
export const table = 'orders'
/** The same files as an Iceberg table: its name, and its metadata file. */
export const icebergTable = 'orders_iceberg'
export const icebergFolder = 'iceberg'
export const icebergMetadata = `s3://${bucket}/${icebergFolder}/00001-9c12d441-03fe-4693-9a96-a0705ddf69c1.metadata.json`

/** A connector of a later contract. */
export default { kind: 'source', specificationVersion: 2, name: 'newer' }

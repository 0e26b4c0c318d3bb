/** AWS's region ids; commercial, China and GovCloud. */
const regionPattern =
  /^(?:us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov)-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-\d$/

export const isRegion = (text: string): boolean => regionPattern.test(text)

const badPrefixes = ['xn--', 'sthree-', 'amzn-s3-demo-']
const badSuffixes = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3']

/** Whether S3 takes this name for a new bucket. Source: S3 user guide, "Bucket naming rules". */
export function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !badPrefixes.some((prefix) => name.startsWith(prefix)) &&
    !badSuffixes.some((suffix) => name.endsWith(suffix))
  )
}

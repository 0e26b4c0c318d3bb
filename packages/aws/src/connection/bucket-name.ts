/** A rule of S3 bucket names, with the words that tell a user that a name breaks it. */
interface BucketNameRule {
  readonly holds: (name: string) => boolean
  readonly message: string
}

const reservedPrefixes = ['xn--', 'sthree-', 'amzn-s3-demo-']
const reservedSuffixes = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3']

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const rules: readonly BucketNameRule[] = [
  {
    holds: (name) => name.length >= 3 && name.length <= 63,
    message: 'A bucket name has 3 to 63 characters',
  },
  {
    holds: (name) => /^[a-z0-9.-]*$/.test(name),
    message: 'A bucket name has only the characters a-z, 0-9, dot and hyphen (no capitals, no underscore)',
  },
  {
    holds: (name) => /^[a-z0-9]/i.test(name) && /[a-z0-9]$/i.test(name),
    message: 'A bucket name begins and ends with a letter or a digit',
  },
  { holds: (name) => !name.includes('..'), message: 'A bucket name has no two dots in a row' },
  {
    holds: (name) => !/^\d{1,3}(\.\d{1,3}){3}$/.test(name),
    message: 'A bucket name is not formatted as an IPv4 address',
  },
  ...reservedPrefixes.map((prefix) => ({
    holds: (name: string) => !name.startsWith(prefix),
    message: `A bucket name does not begin with "${prefix}": the prefix is reserved`,
  })),
  ...reservedSuffixes.map((suffix) => ({
    holds: (name: string) => !name.endsWith(suffix),
    message: `A bucket name does not end with "${suffix}": the suffix is reserved`,
  })),
]

/** The rules that a bucket name breaks, in words; empty for a valid name. */
export const brokenBucketNameRules = (name: string): readonly string[] =>
  rules.filter((rule) => !rule.holds(name)).map((rule) => rule.message)

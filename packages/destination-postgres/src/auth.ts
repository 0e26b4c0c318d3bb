import { defineAuth, type Secret, secret } from '@penstock/core'
import { z } from 'zod'

/** What proves to a server who connects. Secrets stay wrapped until they are sent. */
export interface PostgresAuthentication {
  readonly user: string
  readonly password?: Secret
  readonly certificate?: { readonly chain: string; readonly key: Secret; readonly passphrase?: Secret }
}

const user = z
  .string()
  .min(1)
  .meta({ title: 'User', description: 'Role that connects', examples: ['penstock'] })

const password = defineAuth({
  id: 'password',
  title: 'Password',
  description: 'A role with a password (SCRAM or MD5)',
  recommended: true,
  fields: z.strictObject({
    user,
    password: secret().meta({ title: 'Password', description: 'Password of the role' }),
  }),
  resolve: (fields): PostgresAuthentication => fields,
})

const certificate = defineAuth({
  id: 'certificate',
  title: 'Client certificate',
  description: 'A role that shows a certificate; it needs TLS',
  fields: z.strictObject({
    user,
    certificate: z
      .string()
      .min(1)
      .meta({
        title: 'Certificate',
        description: 'The certificate as PEM, or a reference to a file with it',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the project file's own notation
        examples: ['${file:client.crt}'],
      }),
    privateKey: secret().meta({ title: 'Private key', description: 'Its private key as PEM' }),
    passphrase: secret().optional().meta({ title: 'Passphrase', description: 'Passphrase of the key' }),
  }),
  resolve: ({ user: name, certificate: chain, privateKey, passphrase }): PostgresAuthentication => ({
    user: name,
    certificate: { chain, key: privateKey, ...(passphrase && { passphrase }) },
  }),
})

const none = defineAuth({
  id: 'none',
  title: 'None',
  description: 'The server trusts this machine or this user of it (trust, peer)',
  fields: z.strictObject({ user }),
  resolve: (fields): PostgresAuthentication => fields,
})

export const authMethods = [password, certificate, none] as const

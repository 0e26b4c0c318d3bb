import { type AwsControl, controlPath, fromJson, toJson } from './protocol.ts'

export interface ControlAddress {
  /** `http://127.0.0.1:PORT` */
  endpoint: string
  token: string
}

/** Connects to the control endpoint of an embedded AWS in another process. Nothing is sent before the first call. */
export function connectAwsControl({ endpoint, token }: ControlAddress): AwsControl {
  async function request(command: string, args: unknown[]): Promise<unknown> {
    const response = await fetch(new URL(controlPath + command, endpoint), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      // JSON turns undefined into null: optional arguments at the end are left out instead.
      body: toJson(args.slice(0, args.findLastIndex((argument) => argument !== undefined) + 1)),
    })
    const json = response.headers.get('content-type') === 'application/json'
    const answer = json ? fromJson(await response.text()) : undefined
    if (!isRecord(answer)) {
      throw new Error(
        `${endpoint} has no control endpoint: it answered ${command} with status ${response.status}`,
      )
    }
    if (isRecord(answer.error)) {
      throw Object.assign(new Error(String(answer.error.message)), { name: String(answer.error.name) })
    }
    return answer.result
  }
  // The server's table of commands has the same names and shapes: `commands` is checked against AwsControl.
  const call = <Name extends keyof AwsControl>(name: Name): AwsControl[Name] =>
    ((...args: unknown[]) => request(name, args)) as AwsControl[Name]

  return Object.freeze<AwsControl>({
    createBucket: call('createBucket'),
    putObject: call('putObject'),
    deleteObject: call('deleteObject'),
    listKeys: call('listKeys'),
    setBucketPolicy: call('setBucketPolicy'),
    createDatabase: call('createDatabase'),
    createTable: call('createTable'),
    setMetadataLocation: call('setMetadataLocation'),
    createTableBucket: call('createTableBucket'),
    configureGlue: call('configureGlue'),
    createRestNamespace: call('createRestNamespace'),
    createRestTable: call('createRestTable'),
    configureRest: call('configureRest'),
    createUser: call('createUser'),
    deleteUser: call('deleteUser'),
    createRole: call('createRole'),
    deleteRole: call('deleteRole'),
    putUserPolicy: call('putUserPolicy'),
    deleteUserPolicy: call('deleteUserPolicy'),
    putRolePolicy: call('putRolePolicy'),
    deleteRolePolicy: call('deleteRolePolicy'),
    setTrustPolicy: call('setTrustPolicy'),
    rotateAccessKeys: call('rotateAccessKeys'),
    revokeAccessKey: call('revokeAccessKey'),
    expireSessions: call('expireSessions'),
    users: call('users'),
    roles: call('roles'),
    addFault: async (rule) => {
      const number = await request('addFault', [rule])
      return async () => {
        await request('removeFault', [number])
      }
    },
    clearFaults: call('clearFaults'),
    faults: call('faults'),
    log: call('log'),
    clearLog: call('clearLog'),
    setClockOffset: call('setClockOffset'),
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

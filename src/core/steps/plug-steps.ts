import type { DomainTarget, Step } from './steps.js'

/** Steps on the cards of a domain that is there. `mac` and `xml` name the card. */

export function attachInterface(domain: DomainTarget, mac: string, xml: string): Step {
  return {
    id: `attach-interface ${mac}`,
    label: `attach card ${mac}${scope(domain)}`,
    action: { do: 'attach-interface', domain, mac, xml },
    undo: { do: 'detach-interface', domain, mac, xml },
    verify: { expect: 'interface', domain, mac, present: true },
  }
}

/** A card that the guest does not let go of stays: there is nothing to undo then. */
export function detachInterface(domain: DomainTarget, mac: string, xml: string): Step {
  return {
    id: `detach-interface ${mac}${scope(domain)}`,
    label: `detach card ${mac}${scope(domain)}`,
    action: { do: 'detach-interface', domain, mac, xml },
    undo: null,
    verify: { expect: 'interface', domain, mac, present: false },
  }
}

export function setMetadata(domain: DomainTarget, before: string | null, after: string | null): Step {
  return {
    id: 'set-metadata',
    label: `write network and port of its cards into the metadata${scope(domain)}`,
    action: { do: 'set-metadata', domain, xml: after },
    undo: { do: 'set-metadata', domain, xml: before },
    verify: { expect: 'metadata', domain, xml: after },
  }
}

export function removeSocket(path: string): Step {
  return {
    id: `remove-socket ${path}`,
    label: `remove socket ${path}`,
    action: { do: 'remove-socket', path },
    undo: null,
    verify: { expect: 'nothing' },
  }
}

function scope({ live, config }: DomainTarget): string {
  return live && config ? ' (--live --config)' : live ? ' (--live)' : ' (--config)'
}

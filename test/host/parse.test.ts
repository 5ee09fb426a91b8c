import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeProbeSector, parseHasVirtualization } from '../../src/host/kvm.js'
import { parseLibvirtUser, parseLibvirtVersion } from '../../src/host/libvirt.js'
import { parseCpuList, parseMemory, parsePageBytes, readNodes } from '../../src/host/nodes.js'
import { parseHasNetAdmin } from '../../src/host/rights.js'
import { parseDefaultRoute, readUplink } from '../../src/host/uplink.js'
import { parseQemuVersion } from '../../src/host/versions.js'

describe('host', () => {
  it('parses CPU lists', () => {
    assert.deepEqual(parseCpuList('0-3,8,10-11\n'), [0, 1, 2, 3, 8, 10, 11])
    assert.deepEqual(parseCpuList('\n'), [])
  })

  it('parses memory of a node and of the host', () => {
    assert.equal(parseMemory('Node 0 MemTotal:       5596960 kB\nNode 0 MemFree: 7 kB\n', 'MemFree'), 7168)
    assert.equal(parseMemory('MemTotal:       16 kB\n', 'MemTotal'), 16384)
    assert.equal(parseMemory('', 'MemTotal'), 0)
  })

  it('parses page sizes', () => {
    assert.equal(parsePageBytes('hugepages-2048kB'), 2 ** 21)
    assert.equal(parsePageBytes('other'), null)
  })

  it('parses versions as Debian prints them', () => {
    assert.equal(
      parseQemuVersion('QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright'),
      '7.2.22',
    )
    assert.equal(parseQemuVersion('bash: not found'), null)
    assert.equal(parseLibvirtVersion('9.0.0\n'), '9.0.0')
  })

  it('who runs QEMU for libvirt: as qemu.conf says, else the usual user', () => {
    const passwd =
      'root:x:0:0::/root:/bin/sh\nlibvirt-qemu:x:64055:109::/:/bin/false\nkim:x:1000:1000::/:/bin/sh\n'
    assert.deepEqual(parseLibvirtUser('#user = "root"\n', passwd), { name: 'libvirt-qemu', uid: 64055 })
    assert.deepEqual(parseLibvirtUser('user = "kim"\n', passwd), { name: 'kim', uid: 1000 })
    assert.deepEqual(parseLibvirtUser('user = "+0"\n', passwd), { name: 'root', uid: 0 })
    assert.deepEqual(parseLibvirtUser('user = "+77"\n', passwd), { name: '+77', uid: 77 })
    assert.equal(parseLibvirtUser('user = "nobody-here"\n', passwd), null)
    assert.equal(parseLibvirtUser('', 'root:x:0:0::/root:/bin/sh\n'), null)
  })

  it('wants vmx or svm as a flag of its own', () => {
    assert.equal(parseHasVirtualization('flags\t\t: fpu svm sse\n'), true)
    assert.equal(parseHasVirtualization('flags\t\t: fpu vmx\n'), true)
    assert.equal(parseHasVirtualization('flags\t\t: fpu svm_lock\nmodel name: svm\n'), false)
  })

  it('finds CAP_NET_ADMIN among capabilities', () => {
    assert.equal(parseHasNetAdmin('Name:\tnode\nCapEff:\t000001ffffffffff\n'), true)
    assert.equal(parseHasNetAdmin('CapEff:\t0000000000000000\n'), false)
    assert.equal(parseHasNetAdmin(''), false)
  })

  it('finds the card by which frames leave the host, below a bridge too', async () => {
    const route = (...rows: string[]) => ['Iface\tDestination\tGateway', ...rows, ''].join('\n')
    const row = (name: string, metric: number, mask = '00000000') =>
      `${name}\t00000000\t0100000A\t0003\t0\t0\t${metric}\t${mask}\t0\t0\t0`
    assert.equal(parseDefaultRoute(route(row('eth0', 100), row('br0', 20))), 'br0')
    assert.equal(parseDefaultRoute(route(row('eth0', 0, '000000FF'))), null)
    const root = mkdtempSync(join(tmpdir(), 'vkt-'))
    try {
      assert.equal(await readUplink(root), null)
      mkdirSync(join(root, 'proc/net'), { recursive: true })
      writeFileSync(join(root, 'proc/net/route'), route(row('br0', 20)))
      assert.equal(await readUplink(root), null)
      mkdirSync(join(root, 'sys/class/net/br0/lower_eth7'), { recursive: true })
      mkdirSync(join(root, 'sys/class/net/eth7/device'), { recursive: true })
      const file = join(root, 'sys/class/net/eth7/device/numa_node')
      writeFileSync(file, '1\n')
      assert.deepEqual(await readUplink(root), { name: 'eth7', node: 1 })
      writeFileSync(file, '-1\n')
      assert.equal(await readUplink(root), null)
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  it('makes a boot sector that a BIOS boots', () => {
    const sector = makeProbeSector()
    assert.deepEqual([sector.length, sector[510], sector[511]], [512, 0x55, 0xaa])
  })

  it('reads two nodes in order of their number, and one on a host without NUMA; promised pages are not free', async () => {
    const root = mkdtempSync(join(tmpdir(), 'vkt-'))
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    try {
      write('proc/meminfo', 'MemTotal: 8 kB\nMemFree: 4 kB\n')
      write('sys/devices/system/cpu/online', '0-1\n')
      write('sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages', '5\n')
      write('sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages', '3\n')
      write('sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages', '1\n')
      const [only] = await readNodes(root)
      const hugepages = [{ pageBytes: 2 ** 21, total: 5, free: 2 }]
      assert.deepEqual(only, { id: 0, cpus: [0, 1], memoryBytes: 8192, freeBytes: 4096, hugepages })
      for (const id of [10, 2]) write(`sys/devices/system/node/node${id}/cpulist`, `${id}\n`)
      const own = 'sys/devices/system/node/node2/hugepages/hugepages-2048kB'
      write(`${own}/nr_hugepages`, '4\n')
      write(`${own}/free_hugepages`, '4\n')
      // Which node the promised page will be of, nobody knows yet.
      assert.deepEqual((await readNodes(root))[0]?.hugepages, [{ pageBytes: 2 ** 21, total: 4, free: 3 }])
      assert.deepEqual(
        (await readNodes(root)).map((node) => [node.id, node.cpus]),
        [
          [2, [2]],
          [10, [10]],
        ],
      )
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})

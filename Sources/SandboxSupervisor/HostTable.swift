internal import Glibc
internal import SandboxKernel
package import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// The addresses of the host names that a profile lists, as this supervisor itself resolved them. A name the agent
/// merely claims counts for nothing.
package final class HostTable: Sendable {
    private struct State {
        /// Host indices by address. Addresses stay: a name that moved may still be in use where it was.
        var addresses: [IPAddress: Set<Int>] = [:]
        var lastRefresh: UInt64 = 0
        var isRunning = false
    }
    /// So long a denied call waits for names to be resolved, milliseconds. A resolver that does not answer takes ten
    /// seconds a name.
    private static let patience = 3000
    /// A look-up is not repeated within this time, nanoseconds.
    private static let freshness: UInt64 = 30_000_000_000
    private static let mostAddresses = 16_384

    private let names: [String]
    private let state = Mutex(State())

    init(_ names: [String]) { self.names = names }

    func names(of address: IPAddress) -> HostSet {
        names.isEmpty ? HostSet() : state.withLock { HostSet($0.addresses[address] ?? []) }
    }

    func texts(of address: IPAddress) -> [String] {
        names.isEmpty ? [] : state.withLock { ($0.addresses[address] ?? []).map { names[$0] } }
    }

    /// They were looked up at least once.
    var areKnown: Bool { names.isEmpty || state.withLock { $0.lastRefresh != 0 } }

    /// True where asking again would not help.
    var isFresh: Bool {
        names.isEmpty || state.withLock { HostTable.now() &- $0.lastRefresh < HostTable.freshness && $0.lastRefresh != 0 }
    }

    /// Has every name resolved, once for all who ask, and waits for it as long as is reasonable.
    func refresh() {
        if begin(), WorkerThread.start("sbx-hosts", { [self] in resolveAll() }) != 0 { state.withLock { $0.isRunning = false } }
        var waited = 0
        while waited < HostTable.patience, !isFresh {
            usleep(10_000)
            waited += 10
        }
    }

    private func begin() -> Bool {
        if isFresh { return false }
        return state.withLock { s in
            defer { s.isRunning = true }
            return !s.isRunning
        }
    }

    private func resolveAll() {
        for (i, name) in names.enumerated() {
            let found = HostTable.resolve(name)
            state.withLock { s in
                for address in found where s.addresses.count < HostTable.mostAddresses { s.addresses[address, default: []].insert(i) }
            }
        }
        state.withLock { s in
            s.lastRefresh = HostTable.now()
            s.isRunning = false
        }
    }

    private static func now() -> UInt64 {
        var t = timespec()
        clock_gettime(CLOCK_MONOTONIC, &t)
        return UInt64(t.tv_sec) * 1_000_000_000 + UInt64(t.tv_nsec)
    }

    package static func resolve(_ name: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let a = address(entry) { found.append(a) }
            next = entry.ai_next
        }
        return found
    }

    private static func address(_ entry: addrinfo) -> IPAddress? {
        guard let raw = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET: return IPAddress(v4: UInt32(bigEndian: raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        case AF_INET6:
            return IPAddress(
                v6High: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                v6Low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
        default: return nil
        }
    }

    /// The machine's resolvers, resolv.conf(5).
    static func nameservers() -> [IPAddress] {
        guard let file = fopen("/etc/resolv.conf", "re") else { return [] }
        defer { fclose(file) }
        var found: [IPAddress] = []
        var line = [CChar](repeating: 0, count: 1024)
        while fgets(&line, 1024, file) != nil, found.count < 16 {
            let text: [UInt8] = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let words = text.split { byte in byte == 0x20 || byte == 0x09 || byte == 0x0a }
            if words.count > 1, words[0].elementsEqual("nameserver".utf8), let a = IPAddress(parsing: words[1]) { found.append(a) }
        }
        return found
    }
}

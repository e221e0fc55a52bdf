internal import CShims
internal import Glibc
internal import SandboxFiles
package import SandboxModel

/// The sockets of this machine as they are joined now.
package struct SocketMap {
    package enum End: Hashable, Sendable {
        /// A socket of this machine.
        case socket(UInt64)
        /// It has not been accepted yet, or the address is all there is: whoever has this one.
        case server(UInt64)
        case outside(IPAddress, port: UInt16)
        /// A unix socket whose other end nobody can be named for.
        case unknown
    }

    private struct Address: Hashable {
        let ip: IPAddress
        let port: UInt16
        let type: Int32
    }
    private struct Pair: Hashable {
        let local, remote: Address
    }
    private struct Name: Hashable {
        let bytes: [UInt8]
    }
    private var pairs: [Pair: UInt64] = [:]
    private var connections: [UInt64: Pair] = [:]
    private var servers: [UInt16: [(address: Address, inode: UInt64)]] = [:]
    private var peers: [UInt64: UInt64] = [:]
    private var waiting: [UInt64: UInt64] = [:]
    private var listening: Set<UInt64> = []
    private var unix: Set<UInt64> = []
    private var files: [DeviceAndInode: [UInt64]] = [:]
    private var names: [Name: [UInt64]] = [:]
    private struct DeviceAndInode: Hashable {
        let device, inode: UInt64
    }
    /// sock_diag(7) is there.
    private let knowsUnix: Bool
    /// Addresses of this machine besides its loopback.
    private var own: Set<IPAddress>?

    /// All but the connections of TCP, of which there may be very many (`addConnections`).
    package init() throws(Errno) {
        try self.init(Int32(SBX_TCP_SERVERS | SBX_UDP), unix: true)
        own = Interfaces.addresses()
    }

    /// Those that can be at the other end of a socket.
    package init(servers endpoint: Endpoint, _ type: Int32) throws(Errno) {
        switch endpoint {
        case .ip: try self.init(Int32(type == Int32(SOCK_DGRAM.rawValue) ? SBX_UDP : SBX_TCP_SERVERS), unix: false)
        default: try self.init(0, unix: true)
        }
    }

    private init(_ internet: Int32, unix: Bool) throws(Errno) {
        var list = sbx_socket_list()
        defer { free(list.items) }
        if internet != 0 { _ = try Errno.check(sbx_internet_sockets(&list, internet)) }
        knowsUnix = unix && sbx_unix_sockets(&list) == 0
        take(list)
    }

    /// The connections of TCP as well, where one of these sockets could be one.
    package mutating func addConnections(of inodes: some Sequence<UInt64>) throws(Errno) {
        if inodes.allSatisfy({ unix.contains($0) || listening.contains($0) || connections[$0] != nil }) { return }
        var list = sbx_socket_list()
        defer { free(list.items) }
        _ = try Errno.check(sbx_internet_sockets(&list, Int32(SBX_TCP_CONNECTIONS)))
        take(list)
    }

    private mutating func take(_ list: sbx_socket_list) {
        for i in 0..<list.count {
            let s = list.items[i]
            if s.is_unix != 0 { takeUnix(s) } else { take(s) }
        }
    }

    private mutating func take(_ s: sbx_socket) {
        let local = Address(ip: SocketMap.ip(s.local), port: s.local_port, type: s.type)
        if s.listens != 0 || s.remote_port == 0 {
            servers[s.local_port, default: []].append((local, s.inode))
            if s.inode != 0, s.listens != 0 { listening.insert(s.inode) }
            return
        }
        let pair = Pair(local: local, remote: Address(ip: SocketMap.ip(s.remote), port: s.remote_port, type: s.type))
        pairs[pair] = s.inode
        if s.inode != 0 { connections[s.inode] = pair }
    }

    private mutating func takeUnix(_ s: sbx_socket) {
        if s.is_waiting != 0 {
            waiting[s.inode] = s.peer
            return
        }
        unix.insert(s.inode)
        if s.has_peer != 0 { peers[s.inode] = s.peer }
        if s.listens != 0 { listening.insert(s.inode) }
        if s.file_inode != 0 { files[DeviceAndInode(device: s.file_device, inode: s.file_inode), default: []].append(s.inode) }
        if s.name_length > 1 {
            let bytes = withUnsafeBytes(of: s.name) { Array($0.prefix(Int(s.name_length))) }
            if bytes[0] == 0 { names[Name(bytes: Array(bytes.dropFirst())), default: []].append(s.inode) }
        }
    }

    private static func ip(_ bytes: InlineBytes) -> IPAddress {
        withUnsafeBytes(of: bytes) {
            IPAddress(
                v6High: UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                v6Low: UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }
    private typealias InlineBytes = (
        UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
    )

    package func isListening(_ inode: UInt64) -> Bool { listening.contains(inode) }

    /// Where what is written into a socket comes out. Empty: nowhere (it is not connected, or listens).
    package func ends(of inode: UInt64) -> [End] {
        if let pair = connections[inode] {
            if let other = pairs[Pair(local: pair.remote, remote: pair.local)], other != 0 { return [.socket(other)] }
            let found = servers(at: pair.remote.ip, pair.remote.port, pair.remote.type)
            return found.isEmpty ? [.outside(pair.remote.ip, port: pair.remote.port)] : found.map { .server($0) }
        }
        if let server = waiting[inode] { return [.server(server)] }
        // 0: the other end has been made and nobody has it; whoever waits for it is in the list above.
        if let peer = peers[inode] { return peer != 0 ? [.socket(peer)] : [] }
        return knowsUnix ? [] : [.unknown]
    }

    /// A connection within this machine whose other end nobody has any more: what is written into it comes out nowhere.
    package func isAbandoned(_ inode: UInt64) -> Bool {
        guard let remote = connections[inode]?.remote, remote.type == Int32(SOCK_STREAM.rawValue), remote.ip.isLoopback else {
            return false
        }
        // By the port alone: an address can be translated on its way (nftables).
        return servers[remote.port] == nil && !connections.values.contains { $0.local.port == remote.port }
    }

    package func isUnix(_ inode: UInt64) -> Bool { unix.contains(inode) || !knowsUnix && connections[inode] == nil }

    /// Where a connection of the internet leads to.
    package func remote(of inode: UInt64) -> (ip: IPAddress, port: UInt16)? { connections[inode].map { ($0.remote.ip, $0.remote.port) } }

    /// The sockets that answer at an address of this machine.
    package func servers(at ip: IPAddress, _ port: UInt16, _ type: Int32) -> [UInt64] {
        let isHere = ip.isLoopback || (own ?? Interfaces.addresses()).contains(ip)
        return (servers[port] ?? []).filter {
            $0.inode != 0 && $0.address.type == type && ($0.address.ip == ip || isHere && $0.address.ip.isUnspecified)
        }.map(\.inode)
    }

    package func servers(file device: UInt64, _ inode: UInt64) -> [UInt64] { files[DeviceAndInode(device: device, inode: inode)] ?? [] }
    package func servers(abstract name: [UInt8]) -> [UInt64] { names[Name(bytes: name)] ?? [] }
}

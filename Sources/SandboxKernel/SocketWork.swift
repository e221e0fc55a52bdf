package import SandboxDecode
package import SandboxModel
internal import CShims
internal import Glibc

/// A socket call on its way: the caller's own socket (a duplicate, so that nobody can put another one in its place),
/// a copy of the address, judged by others, then acted on with just these two.
package final class SocketWork {
    package private(set) var operation = Operation.connect
    package private(set) var endpoint = Endpoint.unspecified
    package private(set) var transport = Transport.other
    /// Resolved path or abstract name of a unix address.
    package let path = PathBuffer()
    package internal(set) var device: UInt64 = 0
    package internal(set) var inode: UInt64 = 0
    /// How many names the socket has that it goes to (link(2)).
    package private(set) var names: UInt64 = 0
    /// The folder in which a unix path is bound.
    package let folder = PathBuffer()
    /// Nothing below that folder is judged differently: only then may the caller's own bytes be used, which a racer can
    /// lead into any folder below it.
    package var keepsName = false
    /// Who listens may be reached from other machines.
    package var takesOthers = false
    /// A unix path that does not exist yet (bind).
    package private(set) var createsPath = false
    /// There is an address to judge; without one the call goes where an earlier, judged one led.
    package private(set) var hasAddress = false
    package private(set) var mayBlock = false

    private let label = PathBuffer()
    private var labelled: (ip: IPAddress, port: UInt16)?

    let context: KernelContext
    let resolver: Resolver
    let identity: Identity
    private(set) var call = Call.unknown
    private(set) var caller = Caller(tid: 0, pid: 0, serial: 0)
    var socket: Int32 = -1
    var pin: Int32 = -1
    /// The address family it was made for. Asked for where an address does not say it.
    var domain: Int32 { sbx_getsockopt_int(socket, SOL_SOCKET, SO_DOMAIN) }
    package private(set) var type: Int32 = 0
    var address = SocketAddress()
    let given = PathBuffer()
    let name = PathBuffer()
    var message = OutgoingMessage()
    private(set) var isNonBlocking = false
    /// What is sent, where it is a short datagram; nil where nobody has it all.
    package var shortPayload: [UInt8]? {
        operation == .send && type == SOCK_DGRAM_ && !message.isCut && message.count <= 512 ? Array(message.data[..<message.count]) : nil
    }
    /// The caller's socket, by its number.
    package var socketInode: UInt64? {
        var st = stat()
        return sbx_fstat(socket, &st) == 0 ? UInt64(st.st_ino) : nil
    }
    /// The folder in which a unix path is bound.
    package var boundFolder: (device: UInt64, inode: UInt64)? {
        var st = stat()
        return createsPath && sbx_fstat(pin, &st) == 0 ? (UInt64(st.st_dev), UInt64(st.st_ino)) : nil
    }
    /// What the descriptors that are sent along lead to (SCM_RIGHTS).
    package var passedHoldings: [Holding] { message.passed.flatMap { Holding.own($0) } }
    /// Of the message's bytes, those that have gone already.
    package var sent = 0
    /// What it keeps in memory for its caller.
    package var held: Int { message.count }
    /// No message keeps more.
    package static let mostHeld = OutgoingMessage.limit
    /// An option's.
    private(set) var value: Int32 = 0
    /// The connection was begun without waiting.
    var isBegun = false
    /// A blocking socket took a part without waiting; for the rest its caller would have waited, send(2).
    package var isUnfinished: Bool { operation == .send && mayBlock && type == SOCK_STREAM_ && sent > 0 && sent < message.count }

    /// sendmsg(2) that says no more than send(2) does. Of the flags, those that only say how to wait and where a record ends.
    package static func isPlain(_ message: Message, _ caller: Caller) -> Bool {
        message.flags & ~(MSG_DONTWAIT_ | MSG_NOSIGNAL_ | 0x80 /* MSG_EOR */) == 0
            && OutgoingMessage.isPlain(caller, header: message.header)
    }

    package init(_ context: KernelContext) {
        self.context = context
        resolver = Resolver(context)
        identity = Identity(context)
    }

    deinit {
        reset()
        message.deallocate()
        address.deallocate()
    }

    /// A connect in disguise: `MSG_FASTOPEN`, tcp(7).
    private var isUsed = false
    package var isFastOpen: Bool { operation == .send && message.flags & 0x2000_0000 != 0 }

    package func reset() {
        guard isUsed else { return }
        isUsed = false
        if socket >= 0 { _ = sbx_close(socket) }
        if pin >= 0 { _ = sbx_close(pin) }
        socket = -1
        pin = -1
        hasAddress = false
        createsPath = false
        keepsName = false
        takesOthers = false
        mayBlock = false
        sent = 0
        isBegun = false
        device = 0
        inode = 0
        names = 0
        path.clear()
        message.reset()
    }

    /// Takes the socket and copies what the call says. For `sendMessages` this prepares the message at `index`.
    package func prepare(_ call: Call, for caller: Caller, index: Int = 0) throws(Errno) {
        reset()
        isUsed = true
        self.call = call
        self.caller = caller
        switch call {
        case .connect(let fd, let at, let length):
            operation = .connect
            try takeSocket(fd)
            try takeAddress(at, length, binding: false)
            mayBlock = !isNonBlocking
        case .bind(let fd, let at, let length):
            operation = .bind
            try takeSocket(fd)
            try takeAddress(at, length, binding: true)
        case .listen(let fd, _):
            operation = .bind
            try takeSocket(fd)
            try takeUnboundName()
        case .sendTo(let fd, let data, let count, let flags, let at, let length):
            operation = .send
            try takeSocket(fd)
            try message.take(caller, data: data, count: count, flags: flags)
            try takeAddress(at, length, binding: false)
        case .sendMessage(let m):
            operation = .send
            try takeSocket(m.socket)
            try takeMessage(m.header, flags: m.flags)
        case .sendMessages(let m, _):
            operation = .send
            try takeSocket(m.socket)
            try takeMessage(m.header + index * OutgoingMessage.mmsgSize, flags: m.flags)
        case .nameSender(let fd, _, let at, let length):
            try takeSocket(fd)
            if length < 4 { throw Errno(EINVAL) }
            value = try TraceeMemory.value(caller.tid, at, 0 as Int32)
        case .accept(let fd, _, _, _):
            operation = .accept
            try takeSocket(fd)
            mayBlock = !isNonBlocking
        default: throw Errno(ENOSYS)
        }
        if operation == .send { mayBlock = !isNonBlocking && message.flags & Int32(MSG_DONTWAIT_) == 0 }
    }

    /// `192.0.2.1:80`, `[2001:db8::1]:80`: written anew only where the last one was another.
    package func name(of ip: IPAddress, port: UInt16) -> UnsafeRawBufferPointer {
        if let l = labelled, l.ip == ip, l.port == port { return label.bytes }
        label.clear()
        label.append(ip.isV4 ? "\(ip)" : "[\(ip)]")
        label.append(":")
        label.append(decimal: Int32(port))
        labelled = (ip, port)
        return label.bytes
    }

    // MARK: Taking

    private func takeSocket(_ fd: Int32) throws(Errno) {
        guard fd >= 0 else { throw Errno(EBADF) }
        socket = sbx_pidfd_getfd(context.descriptors(of: caller), fd)
        if socket < 0 {
            let owner = try PidDescriptor.thread(caller.tid, of: caller.pid)
            socket = try Errno.check(sbx_pidfd_getfd(owner.number, fd))
        }
        type = try Errno.check(sbx_getsockopt_int(socket, SOL_SOCKET, SO_TYPE))
        transport = type == SOCK_STREAM_ ? .tcp : type == SOCK_DGRAM_ ? .udp : .other
        // Nothing waits for a datagram socket to connect.
        isNonBlocking = operation == .connect && type == SOCK_DGRAM_ || sbx_getfl(socket) & O_NONBLOCK != 0
    }

    private func takeMessage(_ header: RemoteAddress, flags: Int32) throws(Errno) {
        let (at, length) = try message.take(caller, identity, header: header, flags: flags)
        if !at.isNull && length > 0 { try takeAddress(at, length, binding: false) }
    }

    private func takeAddress(_ at: RemoteAddress, _ length: UInt32, binding: Bool) throws(Errno) {
        try address.read(caller.tid, at, length)
        // sizeof(struct sockaddr_un), unix(7); what we put in its place must not be more lenient.
        if Int32(address.family) == AF_UNIX, length > 110 { throw Errno(EINVAL) }
        endpoint = address.endpoint(domain: domain, connecting: operation == .connect)
        hasAddress = true
        switch endpoint {
        case .ip(let ip, _) where !binding && ip.isUnspecified:
            address.settleUnspecified(own: ownAddress())
            endpoint = address.endpoint(domain: domain, connecting: operation == .connect)
        case .unixAbstract: path.set(address.unixName)
        case .unixPath: try (binding ? takeUnixName() : takeUnixSocket())
        default: break
        }
    }

    /// Pins the socket file that a unix address names.
    private func takeUnixSocket() throws(Errno) {
        given.set(address.unixName)
        pin = try resolve(Resolver.Options(follow: true))
        var st = stat()
        _ = try Errno.check(sbx_fstat(pin, &st))
        device = UInt64(st.st_dev)
        inode = UInt64(st.st_ino)
        names = UInt64(st.st_nlink)
        try resolver.describe(pin, into: path)
        // The name by which it was found has gone, and it has others, which nobody tells.
        if names > 0, path.hasDeletedMark { names = .max }
    }

    /// Pins the folder in which a unix address makes a name.
    private func takeUnixName() throws(Errno) {
        given.set(address.unixName)
        let (start, end, _) = given.lastName()
        name.set(UnsafeRawBufferPointer(rebasing: given.bytes[start..<end]))
        given.setCount(start)
        if given.isEmpty { given.append(".") }
        pin = try resolve(Resolver.Options(follow: true, directory: true))
        createsPath = true
        try resolver.describe(pin, into: path)
        folder.set(path.bytes)
        if path.count > 1 { path.append("/") }
        path.append(name.bytes)
    }

    private func resolve(_ options: Resolver.Options) throws(Errno) -> Int32 {
        let base = try resolver.base(.workingDirectory, of: caller)
        return try identity.assumed(caller) { () throws(Errno) in
            try resolver.pin(given, from: base.number, options, for: caller).release()
        }
    }

    /// listen(2) on an IP socket is judged as a bind: one that was never bound takes a free port on every address, and
    /// so does one whose connection failed, though getsockname(2) still tells the port that it had.
    private func takeUnboundName() throws(Errno) {
        let domain = domain
        guard domain == AF_INET || domain == AF_INET6 else { return }
        let n = sbx_getsockname(socket, address.bytes.baseAddress, UInt32(SocketAddress.capacity))
        if n < 0 { throw Errno(-n) }
        var copy = address
        copy.adopt(count: Int(n))
        if case .ip(let ip, let port) = copy.endpoint(domain: domain) {
            endpoint = .ip(ip, port: port)
            hasAddress = true
        }
    }

    /// What an IP socket is bound to.
    private func ownAddress() -> IPAddress? {
        var own = SocketAddress()
        defer { own.deallocate() }
        let n = sbx_getsockname(socket, own.bytes.baseAddress, UInt32(SocketAddress.capacity))
        guard n > 0 else { return nil }
        own.adopt(count: Int(n))
        if case .ip(let ip, _) = own.endpoint(domain: AF_INET) { return ip }
        return nil
    }
}

let SOCK_STREAM_ = Int32(SOCK_STREAM.rawValue)
let SOCK_DGRAM_ = Int32(SOCK_DGRAM.rawValue)
let MSG_DONTWAIT_: Int32 = 0x40, MSG_NOSIGNAL_: Int32 = 0x4000

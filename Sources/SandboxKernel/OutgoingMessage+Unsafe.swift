internal import CShims
internal import Glibc
internal import SandboxModel

/// A copy of what a caller sends: its bytes and its control messages, with the descriptors in them taken over.
/// Used from call to call by one thread.
struct OutgoingMessage {
    /// `struct msghdr` and `struct mmsghdr` of a 64-bit kernel.
    static let headerSize = 56, mmsgSize = 64
    /// A stream may be sent in parts (send(2)); a datagram larger than this is refused as too long.
    static let limit = 1 << 20
    private static let controlLimit = 1 << 16

    private(set) var data: UnsafeMutableRawBufferPointer
    private(set) var count = 0
    private(set) var isCut = false
    private(set) var control: UnsafeMutableRawBufferPointer
    private(set) var controlCount = 0
    private(set) var flags: Int32 = 0
    private(set) var passed: [Int32] = []
    /// Among the descriptors are unix sockets.
    var passesSockets: Bool { passed.contains { sbx_getsockopt_int($0, SOL_SOCKET, SO_DOMAIN) == AF_UNIX } }

    init() {
        data = .allocate(byteCount: 1 << 16, alignment: 16)
        control = .allocate(byteCount: OutgoingMessage.controlLimit, alignment: 16)
    }

    func deallocate() {
        data.deallocate()
        control.deallocate()
    }

    mutating func reset() {
        for fd in passed { _ = sbx_close(fd) }
        passed.removeAll(keepingCapacity: true)
        count = 0
        controlCount = 0
        isCut = false
    }

    /// It names no address and has no control messages.
    static func isPlain(_ caller: Caller, header: RemoteAddress) -> Bool {
        let words = (0, 0, 0, 0, 0, 0) as (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
        do throws(Errno) {
            let h = try TraceeMemory.value(caller.tid, header, words)
            return h.0 == 0 && h.5 == 0
        } catch { return false }
    }

    mutating func take(_ caller: Caller, data at: RemoteAddress, count n: UInt64, flags f: Int32) throws(Errno) {
        flags = f
        try append(caller, at, n)
    }

    /// Copies the message that `header` describes and returns where it is to go.
    mutating func take(_ caller: Caller, _ identity: Identity, header: RemoteAddress, flags f: Int32) throws(Errno) -> (
        RemoteAddress, UInt32
    ) {
        flags = f
        let h = try TraceeMemory.value(
            caller.tid, header, (0, 0, 0, 0, 0, 0, 0) as (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64))
        let (name, nameLength, vectors, vectorCount, controlAt, controlLength) = (h.0, UInt32(truncatingIfNeeded: h.1), h.2, h.3, h.4, h.5)
        if Int32(bitPattern: nameLength) < 0 { throw Errno(EINVAL) }
        if vectorCount > 1024 { throw Errno(EMSGSIZE) }  // UIO_MAXIOV
        for i in 0..<Int(vectorCount) where !isCut {
            let v = try TraceeMemory.value(caller.tid, RemoteAddress(vectors) + i * 16, (0, 0) as (UInt64, UInt64))
            try append(caller, RemoteAddress(v.0), v.1)
        }
        if controlLength > UInt64(OutgoingMessage.controlLimit) { throw Errno(ENOBUFS) }
        if controlAt != 0 && controlLength > 0 {
            controlCount = Int(controlLength)
            try TraceeMemory.read(
                caller.tid, RemoteAddress(controlAt), into: UnsafeMutableRawBufferPointer(rebasing: control[..<controlCount]))
            try adoptControl(caller, identity)
        }
        return (RemoteAddress(name), min(nameLength, UInt32(SocketAddress.capacity)))
    }

    private mutating func append(_ caller: Caller, _ at: RemoteAddress, _ n: UInt64) throws(Errno) {
        if n > UInt64(Int64.max) { throw Errno(EINVAL) }
        let room = OutgoingMessage.limit - count
        let take = min(Int(n), room)
        if take < Int(n) { isCut = true }
        if count + take > data.count { grow(to: count + take) }
        try TraceeMemory.read(caller.tid, at, into: UnsafeMutableRawBufferPointer(rebasing: data[count..<(count + take)]))
        count += take
    }

    private mutating func grow(to n: Int) {
        var size = data.count
        while size < n { size *= 2 }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: data[..<count]))
        data.deallocate()
        data = larger
    }

    // MARK: Control messages, cmsg(3)

    private mutating func adoptControl(_ caller: Caller, _ identity: Identity) throws(Errno) {
        var at = 0
        while at + 16 <= controlCount {
            let length = control.loadUnaligned(fromByteOffset: at, as: UInt.self)
            let level = control.loadUnaligned(fromByteOffset: at + 8, as: Int32.self)
            let type = control.loadUnaligned(fromByteOffset: at + 12, as: Int32.self)
            guard length >= 16, length <= UInt(controlCount - at) else { throw Errno(EINVAL) }
            // Source routes lead elsewhere than the judged address says: IP_RETOPTS, IPV6_RTHDR, IPV6_2292RTHDR.
            if level == 0 && type == 7 || level == 41 && (type == 57 || type == 5) { throw Errno(EPERM) }
            let body = (at + 16)..<(at + Int(length))
            // By which device it goes the routes say, not its sender: IP_PKTINFO, IPV6_PKTINFO, IPV6_2292PKTINFO.
            if level == 0, type == 8 { clear(body.lowerBound, in: body) }
            if level == 41, type == 50 || type == 2 { clear(body.lowerBound + 16, in: body) }
            if level == SOL_SOCKET, type == 1 { try adoptDescriptors(body, caller) }
            if level == SOL_SOCKET, type == 2 { try adoptCredentials(body, caller, identity) }
            at += (Int(length) + 7) & ~7
        }
    }

    private mutating func clear(_ word: Int, in body: Range<Int>) {
        if word + 4 <= body.upperBound { control.storeBytes(of: 0, toByteOffset: word, as: UInt32.self) }
    }

    /// `SCM_RIGHTS`: the caller's descriptors become duplicates of ours.
    private mutating func adoptDescriptors(_ body: Range<Int>, _ caller: Caller) throws(Errno) {
        let owner = try PidDescriptor.thread(caller.tid, of: caller.pid)
        // SCM_MAX_FD, unix(7).
        guard passed.count + body.count / 4 <= 253 else { throw Errno(EINVAL) }
        for i in stride(from: body.lowerBound, to: body.upperBound - 3, by: 4) {
            let theirs = control.loadUnaligned(fromByteOffset: i, as: Int32.self)
            let ours = try Errno.check(theirs < 0 ? -EBADF : sbx_pidfd_getfd(owner.number, theirs))
            passed.append(ours)
            control.storeBytes(of: ours, toByteOffset: i, as: Int32.self)
        }
    }

    /// `SCM_CREDENTIALS`: the kernel lets only CAP_SYS_ADMIN name another process than the sender, which is us. The
    /// receiver sees the right user and group and the supervisor's process id (docs/ARCHITECTURE.md).
    ///
    /// Where we are root and the caller is not, the kernel would take our saved ids for the caller's: so its own are
    /// asked for here.
    private func adoptCredentials(_ body: Range<Int>, _ caller: Caller, _ identity: Identity) throws(Errno) {
        guard body.count >= 12 else { return }
        if let who = try identity.someoneElse(caller) {
            let user = control.loadUnaligned(fromByteOffset: body.lowerBound + 4, as: UInt32.self)
            let group = control.loadUnaligned(fromByteOffset: body.lowerBound + 8, as: UInt32.self)
            guard who.mayClaim(user: user, group: group) else { throw Errno(EPERM) }
        } else if identity.mayNameOthers {
            return
        }
        control.storeBytes(of: getpid(), toByteOffset: body.lowerBound, as: Int32.self)
    }
}

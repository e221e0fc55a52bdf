internal import CShims
internal import Glibc
internal import SandboxDecode
internal import SandboxModel

/// Acting on the caller's socket with our copy of the address.
extension SocketWork {
    /// `≥ 0` or `-errno`. `wait: false` never blocks: what would have to wait answers `-EAGAIN` (`EINPROGRESS` is not
    /// used, because a blocking connect must not be seen half done by its caller).
    package func perform(wait: Bool) -> Int32 {
        do throws(Errno) {
            return try identity.assumed(caller) { () throws(Errno) in try act(wait: wait) }
        } catch {
            return -error.code
        }
    }

    /// Connects a socket whose caller would wait, where nobody has to: `-EINPROGRESS` or `-EAGAIN` where somebody has.
    /// On this machine the other end has nearly always answered by the time the kernel is asked again.
    ///
    /// The flag is the caller's as well for that moment. Should another of its threads clear it meanwhile, we wait.
    package func connectAtOnce() -> Int32 {
        let flags = sbx_getfl(socket)
        if flags < 0 || sbx_setfl(socket, flags | O_NONBLOCK) < 0 { return -EAGAIN }
        defer { _ = sbx_setfl(socket, flags) }
        let first = perform(wait: false)
        // Begun by its caller some time ago: now it wants to wait for that.
        if first == -EALREADY { return -EINPROGRESS }
        isBegun = first == -EINPROGRESS
        return isBegun ? perform(wait: false) : first
    }

    private func act(wait: Bool) throws(Errno) -> Int32 {
        // Held meanwhile: as long as it lives, its name is nobody else's. Whoever waits would keep it alive for its server.
        let own = wait ? -1 : key.map { context.sockets.find($0, context.tasks) } ?? -1
        defer { if own >= 0 { _ = sbx_close(own) } }
        let leadsOut = key != nil && own < 0
        if leadsOut || hasAddress && operation == .bind { try takeNoDescriptors() }
        if message.passesSockets, leadsOut || takesNone { throw Errno(EPERM) }
        if hasAddress, operation != .bind, case .ip(let ip, _) = endpoint, ip.isLoopback, !goesByRoutes { throw Errno(EACCES) }
        return switch call {
        case .connect:
            // What is under way says so where it was begun by another call than this one; its caller knows of one call only.
            try admitted(own) { sbx_connect(socket, $0, $1) }.replacing(-EALREADY, by: isBegun ? -EINPROGRESS : -EALREADY)
        case .bind: noteBound(try createsPath ? bindPath() : bindAddress())
        case .listen(_, let backlog): try listen(backlog)
        case .sendTo, .sendMessage, .sendMessages: try send(wait: wait, own)
        case .nameSender(_, let option, _, _): try nameSender(option)
        default: throw Errno(ENOSYS)
        }
    }

    // MARK: Descriptors from outside

    /// A unix socket that has a name, where it has been bound.
    private var key: OwnSockets.Key? {
        guard hasAddress else { return nil }
        return switch endpoint {
        case .unixPath: .file(device: device, inode: inode)
        case .unixAbstract: .abstract(Array(path.text))
        default: nil
        }
    }

    /// `SO_PASSRIGHTS`, asm-generic/socket.h of Linux 6.16.
    static let passRights: Int32 = 83

    /// Somebody outside could hand over a file that is denied here: SCM_RIGHTS, unix(7). Since Linux 6.16 the kernel can refuse
    /// that to the sender (before, ENOPROTOOPT). Nobody in the session can allow it again. What is bound passes this on to
    /// each connection.
    private func takeNoDescriptors() throws(Errno) {
        let e = sbx_setsockopt_int(socket, SOL_SOCKET, SocketWork.passRights, 0)
        if e < 0, e != -ENOPROTOOPT, e != -EOPNOTSUPP { throw Errno(-e) }
    }

    /// A unix socket may have a name that no bind(2) gave it (`nameSender`).
    private func listen(_ backlog: Int32) throws(Errno) -> Int32 {
        if domain == AF_UNIX { try takeNoDescriptors() } else if hasAddress, !takesOthers { try keepToMachine() }
        return sbx_listen(socket, backlog)
    }

    /// `SO_BINDTOIFINDEX`, asm-generic/socket.h; the loopback device has the same number in every network namespace.
    static let boundInterface: Int32 = 62, loopbackInterface: Int32 = 1

    /// It is bound to no device, or to the loopback's. Where nothing else may, an address that is of one device alone does that (`fe80::1`,
    /// ipv6(7), `sin6_scope_id`), and by that device a loopback address is another machine's.
    private var goesByRoutes: Bool {
        let device = sbx_getsockopt_int(socket, SOL_SOCKET, SocketWork.boundInterface)
        return device == 0 || device == SocketWork.loopbackInterface
    }

    /// What is bound to the loopback device is reached through it and by nobody on another machine, whatever address it has.
    /// To bind it to another, or to none, takes CAP_NET_RAW (socket(7), SO_BINDTODEVICE), which nobody in the session has.
    private func keepToMachine() throws(Errno) {
        let bound = sbx_getsockopt_int(socket, SOL_SOCKET, SocketWork.boundInterface)
        if bound == SocketWork.loopbackInterface { return }
        if bound != 0 { throw Errno(EACCES) }
        _ = try Errno.check(sbx_setsockopt_int(socket, SOL_SOCKET, SocketWork.boundInterface, SocketWork.loopbackInterface))
    }

    /// A datagram socket that was bound to the loopback device would lose that by connect(2) with AF_UNSPEC. So where it may not be reached
    /// from elsewhere it is bound to a loopback address instead, which stays. (Without a port it is nobody's server.)
    private func bindAddress() -> Int32 {
        if type == SOCK_DGRAM_, !takesOthers, case .ip(let ip, let port) = endpoint, ip.isUnspecified, port != 0 {
            address.settleUnspecified(own: nil)
        }
        return sbx_bind(socket, address.bytes.baseAddress, UInt32(address.count))
    }

    /// SO_PASSCRED, SO_PASSPIDFD: who wants to be told who sends gets a name with the next message or connection, for the answer
    /// (unix_autobind). A stream that has one must listen before somebody outside can use it. A datagram socket needs no more than to
    /// have lost its other end: that may happen by close(2) alone.
    private func nameSender(_ option: Int32) throws(Errno) -> Int32 {
        if value != 0, type == SOCK_DGRAM_, domain == AF_UNIX { try takeNoDescriptors() }
        return sbx_setsockopt_int(socket, SOL_SOCKET, option, value)
    }

    /// The other end of what goes here may be somebody outside: he would have a socket over which descriptors come in.
    private var takesNone: Bool { sbx_getsockopt_int(socket, SOL_SOCKET, SocketWork.passRights) == 0 }

    /// The same as `withUnixReference`, for what the session has bound, where it need not wait.
    private func admitted<R>(_ own: Int32, _ body: (UnsafeRawPointer, UInt32) -> R) throws(Errno) -> R {
        guard own >= 0, let key else { return try withUnixReference(body) }
        return try withUnixReference { at, length in context.sockets.admitting(to: key, own) { body(at, length) } }
    }

    private func noteBound(_ result: Int32) -> Int32 {
        guard result == 0, case .bind(let descriptor, _, _) = call else { return result }
        var own = stat()
        if createsPath, !findBoundFile() { return result }
        if let key, sbx_fstat(socket, &own) == 0 {
            context.sockets.insert(key, .init(process: caller.pid, descriptor: descriptor, socket: UInt64(own.st_ino)))
        }
        return result
    }

    /// What has the name that was just bound may be somebody else's socket already: the kernel says which file it was.
    private func findBoundFile() -> Bool {
        var st = stat(), bound: UInt32 = 0
        guard sbx_fstatat(pin, name.base, &st, At.symlinkNoFollow) == 0 else { return false }
        let e = sbx_bound_file(socket, &bound)
        guard e == 0 && bound == UInt32(truncatingIfNeeded: st.st_ino) || e == -ENOENT else { return false }
        (device, inode) = (UInt64(st.st_dev), UInt64(st.st_ino))
        return true
    }

    /// The address to use: the copy, or for a pinned socket file its place in our own descriptor table, so that no
    /// name is looked up again.
    private func withUnixReference<R>(_ body: (UnsafeRawPointer, UInt32) -> R) throws(Errno) -> R {
        guard pin >= 0, hasAddress, case .unixPath = endpoint else {
            return body(UnsafeRawPointer(address.bytes.baseAddress!), UInt32(address.count))
        }
        var a = sockaddr_un()
        a.sun_family = sa_family_t(AF_UNIX)
        let reference = resolver.reference(pin)
        let n = strlen(reference)
        withUnsafeMutableBytes(of: &a.sun_path) { $0.baseAddress!.copyMemory(from: reference, byteCount: n + 1) }
        return withUnsafeBytes(of: &a) { body($0.baseAddress!, UInt32(n + 3)) }
    }

    /// Binds with the caller's own bytes, because getsockname(2) gives them back to anybody who asks, but from a
    /// thread whose Landlock domain lets it make a socket below the pinned folder and nowhere else: a folder that was
    /// exchanged in the meantime gains nothing. Where something below is judged differently, the bare name is used.
    private func bindPath() throws(Errno) -> Int32 {
        let base = try resolver.base(.workingDirectory, of: caller)
        umask(try identity.mask(of: caller))
        return sbx_bind_confined(socket, address.bytes.baseAddress, UInt32(address.count), base.number, pin, name.base, keepsName ? 1 : 0)
    }

    private func send(wait: Bool, _ own: Int32) throws(Errno) -> Int32 {
        if message.isCut && type != SOCK_STREAM_ { throw Errno(EMSGSIZE) }
        let waits = mayBlock && wait
        let flags = message.flags | MSG_NOSIGNAL_ | (waits ? 0 : MSG_DONTWAIT_)
        let result = try admitted(message.controlCount == 0 ? -1 : own) { (at: UnsafeRawPointer, length: UInt32) -> Int in
            var v = iovec(iov_base: message.data.baseAddress! + sent, iov_len: message.count - sent)
            return withUnsafeMutablePointer(to: &v) { vector in
                var m = msghdr()
                m.msg_name = hasAddress ? UnsafeMutableRawPointer(mutating: at) : nil
                m.msg_namelen = hasAddress ? length : 0
                m.msg_iov = vector
                m.msg_iovlen = 1
                // With the first bytes only.
                m.msg_control = message.controlCount > 0 && sent == 0 ? message.control.baseAddress : nil
                m.msg_controllen = sent == 0 ? message.controlCount : 0
                return sbx_sendmsg(socket, &m, flags)
            }
        }
        if result > 0 { sent += result }
        if sent > 0 { return Int32(clamping: sent) }
        // The caller gets the signal it would have got itself, send(2).
        if result == -Int(EPIPE), message.flags & MSG_NOSIGNAL_ == 0, type == SOCK_STREAM_ {
            _ = sbx_tgkill(caller.pid, caller.tid, SIGPIPE)
        }
        return Int32(clamping: result)
    }

    /// Writes the length of the message sent at `index` back, as sendmmsg(2) does.
    package func reportLength(_ length: Int32, index: Int) throws(Errno) {
        guard case .sendMessages(let m, _) = call else { return }
        try TraceeMemory.write(caller.tid, m.header + (index * OutgoingMessage.mmsgSize + OutgoingMessage.headerSize), UInt32(length))
    }

    /// What the caller gets who sent one message: sendmmsg(2) tells its length in the caller's memory, and counts messages.
    package func answer(to result: Int32) -> Int32 {
        guard case .sendMessages = call, result >= 0 else { return result }
        do throws(Errno) { try reportLength(result, index: 0) } catch { return -error.code }
        return 1
    }
}

extension Int32 {
    fileprivate func replacing(_ other: Int32, by value: Int32) -> Int32 { self == other ? value : self }
}

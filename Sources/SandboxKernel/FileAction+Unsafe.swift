internal import CShims
internal import Glibc
internal import SandboxDecode
internal import SandboxModel

/// Acting on what was pinned. Each answer is the kernel's own: `≥ 0` or `-errno`.
extension FileWork {
    /// Performs the prepared call. For an open the result is a descriptor of ours that the caller of this function
    /// hands over and closes. May wait where `mayBlock` says so.
    package func perform() -> Int32 {
        if substitute >= 0 {
            defer { substitute = -1 }
            return substitute
        }
        do throws(Errno) {
            let result = try identity.assumed(caller) { () throws(Errno) in try act() }
            if result >= 0 { noteProgram(result) }
            return result
        } catch {
            return -error.code
        }
    }

    /// Remembers a program that the call has made, written, or given a name.
    private func noteProgram(_ result: Int32) {
        let executable: UInt64 = 0o111
        switch call {
        case .open where first.kind == .absent || first.access.contains(.create):
            var made = stat()
            guard open.mode & executable != 0, sbx_fstat(result, &made) == 0 else { return }
            context.written.insert(device: UInt64(made.st_dev), inode: UInt64(made.st_ino))
        case .changeMode(_, let mode, _) where !first.isProgram && UInt64(mode) & executable != 0: noteFirst()
        // An access control list may make a file executable as well (acl(5)).
        case .setAttribute where first.kind == .regular && !first.isProgram: noteFirst()
        case .open, .truncate, .rename, .link:
            guard first.isProgram, !first.access.isDisjoint(with: .changing) else { return }
            noteFirst()
        default: break
        }
        if case .rename(_, _, let flags) = call, flags & 2 != 0, second.isProgram {
            context.written.insert(device: second.device, inode: second.inode)
        }
    }

    private func noteFirst() { context.written.insert(device: first.device, inode: first.inode) }

    private func act() throws(Errno) -> Int32 {
        switch call {
        case .open: try openPinned()
        case .remove(_, let directory, _): sbx_unlinkat(first.pin, first.name.base, directory ? 0x200 : 0)
        case .rename(_, _, let flags): sbx_renameat2(first.pin, first.name.base, second.pin, second.name.base, flags)
        case .makeDirectory(_, let mode):
            try masked { sbx_mkdirat(first.pin, first.name.base, mode) }
        case .makeNode(_, let mode, let device):
            try masked { sbx_mknodat(first.pin, first.name.base, mode, device) }
        case .link:
            sbx_linkat(At.workingDirectory, resolver.reference(first.pin), second.pin, second.name.base, At.symlinkFollow)
        case .symlink: sbx_symlinkat(text.base, first.pin, first.name.base)
        case .truncate(_, let length): try truncate(length)
        default: try changeMetadata()
        }
    }

    /// The caller's limit holds, not ours: setrlimit(2), RLIMIT_FSIZE.
    private func truncate(_ length: Int64) throws(Errno) -> Int32 {
        var limit = rlimit()
        _ = try Errno.check(sbx_get_limit(caller.tid, 1, &limit))
        if length > 0, UInt64(length) > limit.rlim_cur {
            _ = sbx_tgkill(caller.pid, caller.tid, SIGXFSZ)
            throw Errno(EFBIG)
        }
        return sbx_truncate(resolver.reference(first.pin), Int(length))
    }

    /// Takes back a file that was made for a caller that has no room for its descriptor (EMFILE).
    package func undoCreation(_ descriptor: Int32) {
        guard first.kind == .absent, opens else { return }
        var made = stat(), there = stat()
        guard sbx_fstat(descriptor, &made) == 0, sbx_fstatat(first.pin, first.name.base, &there, At.symlinkNoFollow) == 0,
            made.st_ino == there.st_ino, made.st_dev == there.st_dev
        else { return }
        _ = sbx_unlinkat(first.pin, first.name.base, 0)
    }

    /// A new file's mode is cut by the caller's mask, not by ours. Each notifier has a mask of its own
    /// (`unshare(CLONE_FS)`).
    private func masked(_ body: () -> Int32) throws(Errno) -> Int32 {
        umask(try identity.mask(of: caller))
        return body()
    }

    // MARK: Opening

    private func openPinned() throws(Errno) -> Int32 {
        let flags = Int32(truncatingIfNeeded: open.flags) | Flag.closeOnExec | Flag.noControllingTerminal
        let mode = UInt32(truncatingIfNeeded: open.mode)
        if first.kind == .absent {
            let made = try masked {
                // O_EXCL follows no link in the last place; O_NOFOLLOW would show in the caller's F_GETFL.
                sbx_openat(first.pin, first.name.base, flags | O_CREAT | O_EXCL, mode)
            }
            // Somebody else was faster; what is there now has not been judged.
            return made == -EEXIST && flags & O_EXCL == 0 ? -EAGAIN : made
        }
        if flags & Flag.path != 0 { return -ENOSYS }  // openat2: the kernel hands no such descriptor over, see `mayProceed`
        if flags & Flag.temporary == Flag.temporary {
            return try masked { sbx_openat(At.workingDirectory, resolver.reference(first.pin), flags & ~Flag.noFollow, mode) }
        }
        if let terminal = try controllingTerminal() { return terminal }
        let fd = resolver.open(first.pin, flags & ~(Flag.noFollow | O_CREAT | O_EXCL))
        // `/dev/ptmx` makes a pair.
        if fd >= 0, first.special == 5 << 8 | 2 { context.terminals.insert(peerOf: fd) }
        return fd
    }

    /// `/dev/tty` (device 5:0) means the opener's controlling terminal: the caller's, not ours.
    private func controllingTerminal() throws(Errno) -> Int32? {
        guard first.kind == .device else { return nil }
        var st = stat()
        _ = try Errno.check(sbx_fstat(first.pin, &st))
        guard st.st_rdev == 5 << 8 else { return nil }
        let device = try ProcessState.terminal(of: caller.tid)
        if device == 0 { throw Errno(ENXIO) }
        if try ProcessState.terminal(of: getpid()) == device { return nil }
        text.setTerminal(device)
        let fd = try Descriptor(
            sbx_openat(
                At.workingDirectory, text.base,
                Int32(truncatingIfNeeded: open.flags) & ~(O_CREAT | O_EXCL)
                    | Flag.closeOnExec | Flag.noControllingTerminal, 0))
        _ = try Errno.check(sbx_fstat(fd.number, &st))
        // The number may be another's since we asked for it; what is open now keeps its own.
        guard st.st_rdev == device, context.terminals.contains(device, device: UInt64(st.st_dev), inode: UInt64(st.st_ino)) else {
            throw Errno(ENXIO)
        }
        return fd.release()
    }

    // MARK: Metadata

    private func changeMetadata() throws(Errno) -> Int32 {
        switch call {
        case .changeMode(_, let mode, let flags):
            if flags & ~(At.symlinkNoFollow | At.emptyPath) != 0 { throw Errno(EINVAL) }
            if first.kind == .symlink { throw Errno(EOPNOTSUPP) }
            return sbx_fchmodat(At.workingDirectory, resolver.reference(first.pin), mode)
        case .changeOwner(_, let user, let group): return sbx_fchownat(first.pin, "", user, group, At.emptyPath)
        case .changeTimes(_, let address, let layout): return try changeTimes(address, layout)
        case .setAttribute(_, let attribute): return try setAttribute(attribute)
        case .removeAttribute(_, let address):
            try readAttributeName(address)
            return sbx_removexattr(resolver.reference(first.pin), text.base)
        default: throw Errno(ENOSYS)
        }
    }

    private func changeTimes(_ address: RemoteAddress, _ layout: TimesLayout) throws(Errno) -> Int32 {
        if address.isNull { return sbx_utimensat(first.pin, "", nil, At.emptyPath) }
        var times = [timespec(), timespec()]
        switch layout {
        case .utimbuf:
            let v = try TraceeMemory.value(caller.tid, address, (0, 0) as (Int64, Int64))
            times = [timespec(tv_sec: Int(v.0), tv_nsec: 0), timespec(tv_sec: Int(v.1), tv_nsec: 0)]
        case .timevals, .timespecs:
            let v = try TraceeMemory.value(caller.tid, address, (0, 0, 0, 0) as (Int64, Int64, Int64, Int64))
            let isMicro = layout == .timevals
            if isMicro && !(0..<1_000_000 ~= v.1 && 0..<1_000_000 ~= v.3) { throw Errno(EINVAL) }
            times = [
                timespec(tv_sec: Int(v.0), tv_nsec: Int(isMicro ? v.1 * 1000 : v.1)),
                timespec(tv_sec: Int(v.2), tv_nsec: Int(isMicro ? v.3 * 1000 : v.3)),
            ]
        }
        return sbx_utimensat(first.pin, "", &times, At.emptyPath)
    }

    private func readAttributeName(_ address: RemoteAddress) throws(Errno) {
        try TraceeMemory.readPath(caller.tid, address, into: text)
        // xattr(7): 1 to 255 bytes.
        if text.isEmpty || text.count > 255 { throw Errno(ERANGE) }
    }

    private func setAttribute(_ a: ExtendedAttribute) throws(Errno) -> Int32 {
        try readAttributeName(a.name)
        if a.size > 65536 { throw Errno(E2BIG) }
        let value = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(a.size), alignment: 8)
        defer { value.deallocate() }
        try TraceeMemory.read(caller.tid, a.value, into: value)
        return sbx_setxattr(resolver.reference(first.pin), text.base, value.baseAddress, value.count, a.flags)
    }
}

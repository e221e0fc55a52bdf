internal import CShims
internal import Glibc

/// Where a client's input comes from: a file from where it stands, or a pipe, a FIFO or a socket. Never waits but where it is told to.
package final class InputSource: @unchecked Sendable {
    // @unchecked: used by one thread at a time; `settle` touches the descriptor alone.
    package enum Piece {
        case bytes([UInt8])
        /// Nothing has come in that time.
        case quiet
        case end
        /// Whoever it is for takes no more.
        case gone
    }

    package let isFile: Bool
    package let isSocket: Bool
    /// Which object it is.
    package let device: UInt64
    package let inode: UInt64
    /// The client's own open file.
    private let descriptor: Int32
    /// Where it was when it was taken, of a file.
    private let start: Int
    private var position: Int
    private static let most = 1 << 18

    /// What the process has as its standard input. Nil: a terminal, the null device, nothing at all: nothing is read from there that
    /// could be judged. Throws where it is something that cannot be read in its place.
    package static func standardInput(of caller: Caller) throws(Errno) -> InputSource? {
        let process = try Descriptor(sbx_pidfd_open(caller.pid, 0))
        let fd = sbx_pidfd_getfd(process.number, 0)
        if fd == -EBADF { return nil }
        return try InputSource(taking: Descriptor(fd))
    }

    package convenience init?(taking descriptor: consuming Descriptor) throws(Errno) {
        var st = stat()
        _ = try Errno.check(sbx_fstat(descriptor.number, &st))
        let how = sbx_getfl(descriptor.number)
        if how & O_ACCMODE == O_WRONLY || how & Flag.path != 0 { return nil }
        switch st.st_mode & S_IFMT {
        case S_IFREG, S_IFSOCK, S_IFIFO: break
        case S_IFCHR where InputSource.isPersonOrNothing(st): return nil
        default: throw Errno(EOPNOTSUPP)
        }
        try self.init(descriptor.release(), st)
    }

    private init(_ descriptor: Int32, _ st: stat) throws(Errno) {
        isFile = st.st_mode & S_IFMT == S_IFREG
        isSocket = st.st_mode & S_IFMT == S_IFSOCK
        device = UInt64(st.st_dev)
        inode = UInt64(st.st_ino)
        start = isFile ? max(sbx_seek(descriptor, 0, SEEK_CUR), 0) : 0
        position = start
        // An open file of our own never waits, whoever reads beside us. A FIFO opened anew would not know of writers that have gone.
        let own = UInt64(st.st_dev) == InputSource.pipes ? InputSource.reopened(descriptor) : -1
        if own >= 0 { _ = sbx_close(descriptor) }
        self.descriptor = own >= 0 ? own : descriptor
    }

    deinit { _ = sbx_close(descriptor) }

    /// The device of what pipe(2) makes.
    private static let pipes: UInt64 = {
        var ends: [Int32] = [-1, -1]
        guard sbx_pipe(&ends) == 0 else { return .max }
        defer { for end in ends { _ = sbx_close(end) } }
        var st = stat()
        return sbx_fstat(ends[0], &st) == 0 ? UInt64(st.st_dev) : .max
    }()

    private static func reopened(_ descriptor: Int32) -> Int32 {
        let path = PathBuffer()
        path.append("/proc/self/fd/")
        path.append(decimal: descriptor)
        return sbx_openat(At.workingDirectory, path.base, O_RDONLY | O_NONBLOCK | Flag.closeOnExec, 0)
    }

    /// What people type goes to the guards. Nothing comes from the null device.
    private static func isPersonOrNothing(_ st: stat) -> Bool {
        let major = UInt64(st.st_rdev) >> 8 & 0xfff
        return (136...143).contains(major) || major == 4 || UInt64(st.st_rdev) == 0x103 || UInt64(st.st_rdev) == 0x500
    }

    /// `watching`: an end of a pipe of ours, whose reader may go away.
    package func next(milliseconds: Int32, watching pipe: Int32 = -1) throws(Errno) -> Piece {
        if !isFile {
            var waiting = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: pipe, events: 0, revents: 0)]
            let n = poll(&waiting, 2, milliseconds)
            if n < 0 && errno != EINTR { throw Errno(errno) }
            if waiting[1].revents != 0 { return .gone }
            if n <= 0 || waiting[0].revents == 0 { return .quiet }
        }
        var bytes = [UInt8](repeating: 0, count: InputSource.most)
        let n = bytes.withUnsafeMutableBytes { room in
            if isFile { return sbx_pread(descriptor, room.baseAddress, room.count, position) }
            if isSocket { return InputSource.receive(descriptor, room) }
            let n = sbx_read_at_once(descriptor, room.baseAddress, room.count)
            return n == -Int(EOPNOTSUPP) ? sbx_read(descriptor, room.baseAddress, room.count) : n
        }
        switch n {
        case 0, -Int(ECONNRESET): return .end
        case -Int(EAGAIN), -Int(EINTR): return .quiet
        case ..<0: throw Errno(Int32(-n))
        default:
            position += n
            return .bytes(Array(bytes[..<n]))
        }
    }

    private static func receive(_ descriptor: Int32, _ room: UnsafeMutableRawBufferPointer) -> Int {
        let n = recv(descriptor, room.baseAddress, room.count, MSG_DONTWAIT_)
        return n < 0 ? -Int(errno) : n
    }

    /// All that a pipe holds once nobody writes to it any more; it stays there (tee(2)). Nil: somebody goes on writing, it is full, or it is
    /// no pipe. `silence`, `patience`: so many milliseconds nothing has to come, or it may take.
    package func peek(silence: Int, patience: Int, isOver: () -> Bool) throws(Errno) -> [UInt8]? {
        guard !isFile, !isSocket else { return nil }
        let step = 20
        var count = 0, quiet = 0, waited = 0
        while true {
            var waiting = pollfd(fd: descriptor, events: 0, revents: 0)
            let n = poll(&waiting, 1, Int32(step))
            if n < 0 && errno != EINTR { throw Errno(errno) }
            if n > 0, waiting.revents & Int16(POLLHUP) != 0 { return try held() }
            let now = InputPipe.held(descriptor)
            (quiet, waited) = (now > count ? 0 : quiet + step, waited + step)
            count = now
            if isOver() || quiet >= silence || waited >= patience { return nil }
        }
    }

    private func held() throws(Errno) -> [UInt8]? {
        let count = InputPipe.held(descriptor)
        if count == 0 { return [] }
        var ends: [Int32] = [-1, -1]
        _ = try Errno.check(sbx_pipe(&ends))
        let reader = try Descriptor(ends[0]), writer = try Descriptor(ends[1])
        _ = sbx_same_room(writer.number, descriptor)
        guard sbx_tee(descriptor, writer.number, count) == count else { return nil }
        var bytes = [UInt8](repeating: 0, count: count), done = 0
        while done < count {
            let n = bytes.withUnsafeMutableBytes { sbx_read(reader.number, $0.baseAddress! + done, count - done) }
            if n <= 0 { throw Errno(n < 0 ? Int32(-n) : EIO) }
            done += n
        }
        return bytes
    }

    /// The client has read so much and no more: whoever shares the open file goes on behind that.
    package func settle(_ count: Int) {
        if isFile { _ = sbx_seek(descriptor, start + count, SEEK_SET) }
    }

    package var isAtStart: Bool { isFile && start == 0 }

    /// What changes whenever a file's content does.
    package struct Version: Sendable, Equatable {
        private let device, inode, size: UInt64
        private let changed: (Int, Int)
        fileprivate init(_ st: stat) {
            (device, inode, size) = (UInt64(st.st_dev), UInt64(st.st_ino), UInt64(st.st_size))
            changed = (st.st_ctim.tv_sec, st.st_ctim.tv_nsec)
        }
        package static func == (a: Version, b: Version) -> Bool {
            a.device == b.device && a.inode == b.inode && a.size == b.size && a.changed == b.changed
        }
    }
    package var version: Version? {
        var st = stat()
        return isFile && sbx_fstat(descriptor, &st) == 0 ? Version(st) : nil
    }

    /// The file, from its beginning to its end, is not longer than that.
    package func isFile(ofAtMost limit: Int) -> Bool {
        var st = stat()
        return isFile && sbx_fstat(descriptor, &st) == 0 && Int(st.st_size) - start <= limit
    }
}

/// A pipe that a client reads in the place of its own input.
package final class InputPipe: Sendable {
    /// Ours never waits.
    private let end: Int32
    /// The client's; to be handed over once.
    package let reader: Int32

    package init() throws(Errno) {
        var ends: [Int32] = [-1, -1]
        _ = try Errno.check(sbx_pipe(&ends))
        (reader, end) = (ends[0], ends[1])
        _ = sbx_setfl(end, O_WRONLY | O_NONBLOCK)
    }

    deinit { _ = sbx_close(end) }

    package var writer: Int32 { end }

    /// False where nobody reads any more, or the wait is over.
    package func write(_ bytes: [UInt8], isOver: () -> Bool) -> Bool {
        var done = 0
        while done < bytes.count {
            let n = bytes.withUnsafeBytes { sbx_write(end, $0.baseAddress! + done, $0.count - done) }
            if n > 0 { done += n }
            if n == -Int(EAGAIN) {
                var waiting = pollfd(fd: end, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, 1000)
                if waiting.revents & Int16(POLLERR) != 0 || isOver() { return false }
            } else if n < 0, n != -Int(EINTR) {
                return false
            }
        }
        return true
    }

    /// How much nobody has read yet.
    package var unread: Int { InputPipe.held(end) }

    /// How much a pipe holds.
    static func held(_ pipe: Int32) -> Int {
        var count: Int32 = 0
        return sbx_ioctl_int(pipe, 0x541b /* FIONREAD */, &count) == 0 ? Int(count) : 0
    }
}

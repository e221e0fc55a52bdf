package import SandboxModel

/// A path as a call names it: relative to a directory descriptor, or the descriptor itself.
package struct PathArgument: Sendable {
    package enum Base: Sendable { case workingDirectory, descriptor(Int32) }
    package var base: Base
    /// Null for calls that name a descriptor and nothing else (`fchmod`).
    package var address: RemoteAddress
    /// Whether a symbolic link in the last place is followed.
    package var follow: Bool
    /// `AT_EMPTY_PATH`: an empty path means the descriptor itself.
    package var mayBeEmpty = false

    package static func path(_ dir: Int32, _ address: RemoteAddress, follow: Bool, mayBeEmpty: Bool = false) -> PathArgument {
        PathArgument(
            base: dir == -100 ? .workingDirectory : .descriptor(dir), address: address, follow: follow,
            mayBeEmpty: mayBeEmpty)
    }
    package static func plain(_ address: RemoteAddress, follow: Bool) -> PathArgument {
        PathArgument(base: .workingDirectory, address: address, follow: follow)
    }
    package static func descriptor(_ fd: Int32) -> PathArgument {
        PathArgument(base: .descriptor(fd), address: RemoteAddress(0), follow: true, mayBeEmpty: true)
    }
}

/// How a call wants something opened; `how` is set where the kernel reads it from memory (openat2(2)).
package struct OpenRequest: Sendable {
    package var path: PathArgument
    package var flags: UInt64
    package var mode: UInt64
    package var resolve: UInt64 = 0
    package var how = RemoteAddress(0)
    package var howSize: UInt64 = 0

    package init(path: PathArgument, flags: UInt64, mode: UInt64) {
        self.path = path
        self.flags = flags
        self.mode = mode
    }
}

/// Where a metadata call takes its times from.
package enum TimesLayout: Sendable { case timespecs, timevals, utimbuf }

package struct ExtendedAttribute: Sendable {
    package var name: RemoteAddress
    package var value: RemoteAddress
    package var size: UInt64
    package var flags: Int32
}

package struct Message: Sendable {
    package var socket: Int32
    package var header: RemoteAddress
    package var flags: Int32
}

/// What registers tell of a call that changes credentials.
package enum IdentityChange: Sendable {
    /// The ids that are asked for (setuid(2) and its kin); `UInt32.max` leaves one as it is.
    case users(InlineArray<3, UInt32>)
    case groups(InlineArray<3, UInt32>)
    /// Lists in memory.
    case other
}

/// A kind of System V object, sysvipc(7).
package enum ObjectKind: Int, Sendable, CaseIterable {
    case sharedMemory, semaphores, messages

    package var name: String {
        switch self {
        case .sharedMemory: "shared memory"
        case .semaphores: "semaphores"
        case .messages: "message queue"
        }
    }
}

/// A system call in the supervisor's terms. Nothing in it was read from a tracee's memory.
package enum Call: Sendable {
    case open(OpenRequest)
    case remove(PathArgument, directory: Bool, flags: Int32)
    case rename(from: PathArgument, to: PathArgument, flags: UInt32)
    case makeDirectory(PathArgument, mode: UInt32)
    case makeNode(PathArgument, mode: UInt32, device: UInt64)
    case link(from: PathArgument, to: PathArgument, flags: Int32)
    case symlink(target: RemoteAddress, at: PathArgument)
    case truncate(PathArgument, length: Int64)
    case changeMode(PathArgument, mode: UInt32, flags: Int32)
    case changeOwner(PathArgument, user: UInt32, group: UInt32)
    case changeTimes(PathArgument, times: RemoteAddress, layout: TimesLayout)
    case setAttribute(PathArgument, ExtendedAttribute)
    case removeAttribute(PathArgument, name: RemoteAddress)
    case connect(socket: Int32, address: RemoteAddress, length: UInt32)
    case bind(socket: Int32, address: RemoteAddress, length: UInt32)
    case listen(socket: Int32, backlog: Int32)
    case sendTo(socket: Int32, data: RemoteAddress, count: UInt64, flags: Int32, address: RemoteAddress, length: UInt32)
    case sendMessage(Message)
    case sendMessages(Message, count: UInt32)
    /// `address`, `length`: where the caller wants to be told who has connected.
    case accept(socket: Int32, address: RemoteAddress, length: RemoteAddress, flags: Int32)
    /// setsockopt(2) with SO_PASSCRED or SO_PASSPIDFD.
    case nameSender(socket: Int32, option: Int32, value: RemoteAddress, length: Int32)
    case readLink(PathArgument, buffer: RemoteAddress, size: Int32)
    /// Credentials or capabilities may differ from now on.
    case changeIdentity(IdentityChange)
    /// Something done to the process or thread with that id, by registers alone.
    case towardsProcess(Int32)
    /// The same, with a value that it can read.
    case tellsProcess(Int32)
    /// `pidfd_send_signal`: the process is behind a descriptor.
    case signalDescriptor(Int32, signal: Int32)
    case personality(UInt32)
    /// A thread may have a descriptor table of its own from now on; `flags` as unshare(2) or clone(2) have them.
    case separateDescriptors(flags: UInt64)
    /// Another process will have the caller's memory, working directory or descriptors (clone(2) without CLONE_THREAD), or
    /// the kernel may write into that memory by itself (io_setup(2), without flags).
    case shares(flags: UInt64)
    /// A System V object by its key; `size` is bytes or a number of semaphores.
    case getObject(ObjectKind, key: Int32, size: UInt64, flags: Int32)
    /// One by its id.
    case useObject(ObjectKind, id: Int32)
    /// IPC_RMID: nothing can be read from it.
    case removeObject(ObjectKind, id: Int32)
    /// fallocate(2): room that is taken.
    case takeRoom(UInt64)
    /// Never carried out in enforce mode, which alone traps it.
    case refused
    /// Trapped by the filter but in no row here: refused.
    case unknown
}

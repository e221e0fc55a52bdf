internal import CShims
internal import Glibc
package import SandboxModel

/// One of the (at most two) things a file call touches, as it is judged and recorded.
package final class FileSubject {
    /// Resolved path; for an object that has no name any more the one it had.
    package let path = PathBuffer()
    package internal(set) var access: FileAccess = []
    package internal(set) var device: UInt64 = 0
    package internal(set) var inode: UInt64 = 0
    package internal(set) var kind: Kind = .other
    /// The caller already holds it and it has no place in the file system: a pipe, a socket, a memfd.
    package internal(set) var isAnonymous = false

    /// How many names it has (link(2)); folders have one. `UInt64.max`: some that cannot be known by `path`.
    package internal(set) var names: UInt64 = 0
    /// A regular file that somebody may execute.
    package internal(set) var isProgram = false
    /// The device number of a special file.
    var special: UInt64 = 0
    var isBlock = false
    /// The number of a terminal (devices.txt): pseudo-terminals, virtual consoles and their memory, serial lines; nil for
    /// everything else. `/dev/tty` (5:0) and `/dev/ptmx` (5:2) are whoever opens them's own.
    package var terminal: UInt64? {
        guard kind == .device, !isBlock else { return nil }
        return switch special >> 8 & 0xfff {
        case 4, 7, 136...143, 188, 204, 229: special
        case 5: special & 0xff == 1 ? special : nil
        default: nil
        }
    }

    /// A way to a device. Writing to it is one thing (`/dev/null`); taking it away, or its permissions, from everybody another.
    /// Character device 0:0 is what overlay file systems call a whiteout, and reaches nothing.
    package var isNode: Bool { kind == .device && (isBlock || special != 0) }

    /// What is behind it goes round every rule about files: a disk, memory, the kernel's log, what makes devices, or
    /// what somebody else types on: who writes to that types (devices.txt).
    package var isRawDevice: Bool {
        guard kind == .device else { return false }
        let major = special >> 8 & 0xfff, minor = special & 0xff | special >> 12 & 0xfff00
        switch major {
        case 1: return isBlock || [1, 2, 4, 11].contains(minor)  // mem, kmem, port, kmsg
        case 10:
            // watchdog, vhci, nvram, microcode, tun, cuse, uinput, fuse, snapshot, btrfs-control, autofs, mapper, loop-control,
            // vhost-net, uhid, userio, vhost-vsock
            return isBlock
                || [130, 137, 144, 184, 200, 203, 223, 229, 231, 234, 235, 236, 237, 238, 239, 240, 241].contains(minor)
        default: return isBlock || [13, 21, 162, 202].contains(major) || DeviceDrivers.raw.contains(major)  // input, sg, raw, msr
        }
    }

    package enum Kind: Sendable { case regular, directory, device, fifo, socket, symlink, absent, other }

    /// The pinned object, or the pinned folder of a name.
    var pin: Int32 = -1
    /// The name within the pinned folder; empty where the object itself is pinned.
    let name = PathBuffer()
    /// What the caller wrote, while it is being resolved.
    let given = PathBuffer()
    /// The name is the folder itself, the one above it, or the root.
    var isDots: Bool { name.equals(".") || name.equals("..") || name.isAbsolute }

    /// For a folder that is to be moved: it holds a socket, or so much that nobody can tell.
    package var mayHoldSocket: Bool {
        let place = PathBuffer()
        place.append("/proc/self/fd/")
        place.append(decimal: pin)
        place.append("/")
        place.append(name.bytes)
        return sbx_may_hold_socket(place.base) != 0
    }

    func reset() {
        if pin >= 0 { _ = sbx_close(pin) }
        pin = -1
        name.clear()
        path.clear()
        access = FileAccess()
        device = 0
        inode = 0
        kind = .other
        isAnonymous = false
        names = 0
        isProgram = false
        special = 0
        isBlock = false
    }

    /// The name by which it is held has gone, and it has others: which, nobody tells.
    func noteLostName() { if kind != .directory, names > 0, path.hasDeletedMark { names = .max } }

    func hold(_ d: consuming Descriptor) {
        if pin >= 0 { _ = sbx_close(pin) }
        pin = d.release()
    }

    func take(_ st: stat) {
        device = UInt64(st.st_dev)
        inode = UInt64(st.st_ino)
        special = UInt64(st.st_rdev)
        names = st.st_mode & S_IFMT == S_IFDIR ? 1 : UInt64(st.st_nlink)
        isProgram = st.st_mode & S_IFMT == S_IFREG && st.st_mode & 0o111 != 0
        isBlock = st.st_mode & S_IFMT == S_IFBLK
        kind =
            switch st.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFCHR, S_IFBLK: .device
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFLNK: .symlink
            default: .other
            }
    }
}

extension FileAccess {
    /// What open(2) with these flags does to a file that is there.
    init(openFlags f: Int32) {
        if f & Flag.path != 0 {
            self = .pathOnly
            return
        }
        self =
            switch f & O_ACCMODE {
            case O_RDONLY: .read
            case O_WRONLY: .write
            default: .read.union(.write)
            }
        if f & O_TRUNC != 0 { self = union(.truncate).union(.write) }
    }
}

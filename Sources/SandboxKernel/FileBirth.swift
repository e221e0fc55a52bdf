internal import CShims

/// When a file was made, nanoseconds since 1970; 0 where the file system does not say. With its number it is the file and no
/// later one.
package enum FileBirth {
    package static func of(_ path: [UInt8], _ device: UInt64, _ inode: UInt64) -> UInt64 {
        guard path.first == 0x2f else { return 0 }
        var d: UInt64 = 0, i: UInt64 = 0
        let born = sbx_birth(At.workingDirectory, path.map { CChar(bitPattern: $0) } + [0], &d, &i)
        return d == device && i == inode ? born : 0
    }
}

extension FileSubject {
    /// The folder in which a name is, or is about to be made.
    package var folder: (device: UInt64, inode: UInt64)? {
        var st = stat()
        return !name.isEmpty && sbx_fstat(pin, &st) == 0 ? (UInt64(st.st_dev), UInt64(st.st_ino)) : nil
    }

    /// Of a folder that is pinned: whether it has this name in it.
    package func holds(_ entry: [UInt8]) -> Bool {
        var st = stat()
        return sbx_fstatat(pin, entry.map { CChar(bitPattern: $0) } + [0], &st, At.symlinkNoFollow) != -ENOENT
    }

    /// What the name leads to by now, in the pinned folder.
    package var made: (device: UInt64, inode: UInt64)? {
        var st = stat()
        return !name.isEmpty && sbx_fstatat(pin, name.base, &st, At.symlinkNoFollow) == 0 ? (UInt64(st.st_dev), UInt64(st.st_ino)) : nil
    }

    /// Of the object that is pinned; of one that a name in a pinned folder leads to where there is none.
    package var born: UInt64 {
        var d: UInt64 = 0, i: UInt64 = 0
        return sbx_birth(pin, name.base, &d, &i)
    }
}

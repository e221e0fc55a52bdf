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
    /// Of the object that is pinned; of one that a name in a pinned folder leads to where there is none.
    package var born: UInt64 {
        var d: UInt64 = 0, i: UInt64 = 0
        return sbx_birth(pin, name.base, &d, &i)
    }
}

internal import CShims

/// Flags that C spells as macros Swift cannot import, by their man page names (open(2), openat2(2)).
enum Flag {
    static let path = Int32(SBX_O_PATH)
    static let temporary = Int32(SBX_O_TMPFILE)
    static let closeOnExec = Int32(SBX_O_CLOEXEC)
    static let directory = Int32(SBX_O_DIRECTORY)
    static let noFollow = Int32(SBX_O_NOFOLLOW)
    static let noControllingTerminal = Int32(SBX_O_NOCTTY)
    static let noMagicLinks = UInt64(SBX_RESOLVE_NO_MAGICLINKS)
    static let noSymlinks = UInt64(SBX_RESOLVE_NO_SYMLINKS)
    static let noCrossing = UInt64(SBX_RESOLVE_NO_XDEV)
    static let beneath = UInt64(SBX_RESOLVE_BENEATH)
    static let inRoot = UInt64(SBX_RESOLVE_IN_ROOT)
}

/// `AT_*` of openat(2).
enum At {
    static let workingDirectory = Int32(SBX_AT_FDCWD)
    static let emptyPath = Int32(SBX_AT_EMPTY_PATH)
    static let symlinkFollow = Int32(SBX_AT_SYMLINK_FOLLOW)
    static let symlinkNoFollow = Int32(SBX_AT_SYMLINK_NOFOLLOW)
    /// What is known already: a server is not asked.
    static let asKnown = Int32(SBX_AT_STATX_DONT_SYNC)
}

internal import CShims

/// An open descriptor that is closed when its owner lets go of it.
package struct Descriptor: ~Copyable {
    package let number: Int32

    /// Takes over what a shim returned, or throws what it failed with.
    package init(_ result: Int32) throws(Errno) { number = try Errno.check(result) }

    /// Gives the number to somebody else, who must close it.
    package consuming func release() -> Int32 {
        let n = number
        discard self
        return n
    }

    deinit { _ = sbx_close(number) }
}

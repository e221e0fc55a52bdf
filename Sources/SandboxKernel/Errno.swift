/// What the kernel answered: a positive number of errno(3).
package struct Errno: Error, Equatable {
    package let code: Int32
    package init(_ code: Int32) { self.code = code }

    /// The result of a shim: non-negative, or `-errno`.
    @inline(__always)
    package static func check(_ result: Int32) throws(Errno) -> Int32 {
        if result < 0 { throw Errno(-result) }
        return result
    }
}

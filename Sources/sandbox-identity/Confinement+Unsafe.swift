internal import CShims
internal import Glibc
internal import SandboxModel

/// What is left to this program once it knows whom operations trust, and before it looks at a token: the files with the keys of these
/// issuers, and the network only where some of them are asked for theirs.
enum Confinement {
    static func enter(_ issuers: [Issuer], cache: String) throws(VerifiedIdentity.Refusal) {
        var reads = ["/dev/urandom"]
        var asksSomebody = false
        for issuer in issuers {
            switch issuer.keys {
            case .file(let file), .secret(let file): reads.append(file)
            case .discovery: asksSomebody = true
            }
        }
        if asksSomebody {
            mkdir(cache, 0o700)
            reads += resolving
        }
        let error = confine(reads, writes: asksSomebody ? cache : nil, network: asksSomebody)
        if error != 0 { throw .init("the checker of tokens could not be confined: \(String(cString: strerror(-error)).lowercased())") }
    }

    /// What looking up a host and checking its certificate take.
    private static let resolving = [
        "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/ld.so.cache",
        "/etc/localtime", "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies", "/etc/gnutls", "/run/systemd/resolve",
        "/run/nscd", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share",
    ]

    private static func confine(_ reads: [String], writes: String?, network: Bool) -> Int32 {
        var paths = reads.map { UnsafePointer(strdup($0)) } + [nil]
        let folder = writes.map { strdup($0) } ?? nil
        defer {
            for path in paths { free(UnsafeMutablePointer(mutating: path)) }
            free(folder)
        }
        return paths.withUnsafeMutableBufferPointer { paths in
            var wanted = sbx_confinement(reads: paths.baseAddress, writes: folder, network: network ? 1 : 0)
            return sbx_confine(&wanted)
        }
    }
}

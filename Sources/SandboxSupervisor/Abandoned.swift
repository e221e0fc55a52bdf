package import SandboxStore

/// Sessions whose supervisors were killed.
package enum Abandoned {
    /// Removes what they could not, folders for temporary files, sockets for approvers, control groups, and takes what they have recorded
    /// into the store (`Trail.recover`): later nobody knows of them any more.
    package static func takeIn(_ state: StateDirectory, patiently: Bool = false) throws(StoreError) -> Trail.Recovery {
        try Trail.recover(state, patiently: patiently) { session in
            TemporaryFolder.sweep(session)
            ApproverSockets.sweep(session)
            ControlGroup.sweep(session)
        }
    }
}

import Testing
@testable import SandboxStore

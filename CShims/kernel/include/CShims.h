#ifndef SANDBOX_CSHIMS_H
#define SANDBOX_CSHIMS_H
#endif

/* SPDX-License-Identifier: MIT */
/* certificate.h - certificates for tests, made by OpenSSL. */
#ifndef DOZE_TEST_HTTP_CERTIFICATE_H
#define DOZE_TEST_HTTP_CERTIFICATE_H

#include <stdbool.h>

/* A folder of the test's own, as "/tmp/x/". */
const char *certificate_folder(void);
/* Remove the folder with all that certificate_write made in it. */
void certificate_tidy(void);

struct certificate_wish {
    const char *name;       /* of the file, and in the certificate */
    bool with_key;          /* the key is in the file, too */
    const char *passphrase; /* of the key; NULL: none */
    bool expired;
    int rsa_bits; /* 0: a key of P-256 */
};

/* Write NAME with a certificate that signs itself, and NAME.key with its key. Returns NAME's
 * path, which is valid for the process's life. */
const char *certificate_write(const struct certificate_wish *wish);

#endif

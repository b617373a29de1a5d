/* SPDX-License-Identifier: MIT */
#include "certificate.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"

enum { MADE_MAX = 32, DAY = 24 * 3600 };

static char folder[] = "/tmp/doze-tls-XXXXXX/";
static char *made[MADE_MAX];
static int made_count;

static char *keep(char *path) {
    if (made_count == MADE_MAX) abort();
    made[made_count++] = path;
    return path;
}

const char *certificate_folder(void) {
    static bool exists;
    if (exists) return folder;
    folder[strlen(folder) - 1] = '\0';
    if (!mkdtemp(folder)) abort();
    folder[strlen(folder)] = '/';
    exists = true;
    return folder;
}

void certificate_tidy(void) {
    for (int i = 0; i < made_count; i++) {
        (void)unlink(made[i]);
        free(made[i]);
    }
    made_count = 0;
    (void)rmdir(certificate_folder());
}

static X509 *make(EVP_PKEY *key, const struct certificate_wish *wish) {
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    long first = wish->expired ? -2 * DAY : -DAY, last = wish->expired ? -DAY : DAY;
    (void)X509_set_version(cert, X509_VERSION_3);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), first);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), last);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     (const unsigned char *)wish->name, -1, -1, 0);
    (void)X509_set_issuer_name(cert, name);
    (void)X509_set_pubkey(cert, key);
    if (X509_sign(cert, key, EVP_sha256()) == 0) abort();
    return cert;
}

static void write_key(FILE *file, EVP_PKEY *key, const char *passphrase) {
    const EVP_CIPHER *cipher = passphrase ? EVP_aes_128_cbc() : NULL;
    int len = passphrase ? (int)strlen(passphrase) : 0;
    if (PEM_write_PKCS8PrivateKey(file, key, cipher, passphrase, len, NULL, NULL) != 1) abort();
}

static FILE *create(const char *path) {
    FILE *file = fopen(path, "we");
    if (!file) abort();
    return file;
}

const char *certificate_write(const struct certificate_wish *wish) {
    char *path = keep(xasprintf("%s%s", certificate_folder(), wish->name));
    char *key_path = keep(xasprintf("%s.key", path));
    EVP_PKEY *key = wish->rsa_bits ? EVP_RSA_gen((unsigned)wish->rsa_bits)
                                   : EVP_EC_gen("P-256");
    X509 *cert = make(key, wish);
    FILE *file = create(path), *key_file = create(key_path);
    if (PEM_write_X509(file, cert) != 1) abort();
    if (wish->with_key) write_key(file, key, wish->passphrase);
    write_key(key_file, key, wish->passphrase);
    if (fclose(file) != 0 || fclose(key_file) != 0) abort();
    X509_free(cert);
    EVP_PKEY_free(key);
    return path;
}

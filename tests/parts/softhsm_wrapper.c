/* SPDX-License-Identifier: EUPL-1.2
 *
 * A PKCS#11 module that passes every call on to the module REAL, but for those that a test changes by definitions:
 *   IN_INITIALIZE, IN_LOGIN, IN_LOGOUT, IN_DESTROY   statements in these functions, before the real one is called
 *   TOKEN_FLAGS                          more flags for CK_TOKEN_INFO
 *   SLOT_NAME                            another description for each slot, with CKF_REMOVABLE_DEVICE
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long word;
typedef word (*call0)(void *);
typedef word (*call_login)(word, word, unsigned char *, word);
typedef word (*call_logout)(word);
typedef word (*call_destroy)(word, word);
typedef word (*call_info)(word, unsigned char *);

struct functions {
    unsigned char version[2];
    void *call[68];
};

enum { INITIALIZE = 0, SLOT_INFO = 5, TOKEN_INFO = 6, LOGIN = 18, LOGOUT = 19, DESTROY = 22, FLAGS_AT = 96, NAME_BYTES = 64 };

#ifndef IN_INITIALIZE
#define IN_INITIALIZE
#endif
#ifndef IN_LOGIN
#define IN_LOGIN
#endif
#ifndef IN_LOGOUT
#define IN_LOGOUT
#endif
#ifndef IN_DESTROY
#define IN_DESTROY
#endif
#ifndef TOKEN_FLAGS
#define TOKEN_FLAGS 0
#endif

static struct functions ours, *theirs;

static word initialize(void *arguments)
{
    IN_INITIALIZE;
    return ((call0)theirs->call[INITIALIZE])(arguments);
}

static word login(word session, word user, unsigned char *pin, word length)
{
    IN_LOGIN;
    return ((call_login)theirs->call[LOGIN])(session, user, pin, length);
}

static word logout(word session)
{
    IN_LOGOUT;
    return ((call_logout)theirs->call[LOGOUT])(session);
}

static word destroy(word session, word object)
{
    IN_DESTROY;
    return ((call_destroy)theirs->call[DESTROY])(session, object);
}

static void add_flags(unsigned char *info, word more)
{
    word flags;
    memcpy(&flags, info + FLAGS_AT, sizeof flags);
    flags |= more;
    memcpy(info + FLAGS_AT, &flags, sizeof flags);
}

static word token_info(word slot, unsigned char *info)
{
    word result = ((call_info)theirs->call[TOKEN_INFO])(slot, info);
    if (result == 0)
        add_flags(info, TOKEN_FLAGS);
    return result;
}

static word slot_info(word slot, unsigned char *info)
{
    word result = ((call_info)theirs->call[SLOT_INFO])(slot, info);
#ifdef SLOT_NAME
    if (result == 0) {
        memset(info, ' ', NAME_BYTES);
        memcpy(info, SLOT_NAME, strlen(SLOT_NAME));
        add_flags(info, 2);
    }
#endif
    return result;
}

word C_GetFunctionList(struct functions **list)
{
    void *module = dlopen(REAL, RTLD_NOW);
    word (*get)(struct functions **) = (word (*)(struct functions **))dlsym(module, "C_GetFunctionList");
    word result = get(&theirs);
    ours = *theirs;
    ours.call[INITIALIZE] = (void *)initialize;
    ours.call[SLOT_INFO] = (void *)slot_info;
    ours.call[TOKEN_INFO] = (void *)token_info;
    ours.call[LOGIN] = (void *)login;
    ours.call[LOGOUT] = (void *)logout;
    ours.call[DESTROY] = (void *)destroy;
    *list = &ours;
    return result;
}

/* SPDX-License-Identifier: EUPL-1.2
 *
 * A reader driver for tests: vpcd's own (REAL) with keys beside it, by PC/SC part 10. Who types on them sits behind the
 * Unix socket FINGERS: it is sent "V" or "M", the shortest and the longest code and the length of the data in a line,
 * and answers with the codes, separated by spaces, or with "!" and four hexadecimal digits that the reader says itself.
 * FEATURES is the feature list as a string, PROPERTIES the answer to FEATURE_GET_TLV_PROPERTIES.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef unsigned long word;
typedef struct { word protocol, length; } header;

enum { OK = 0, COMMUNICATION = 612, NOT_SUPPORTED = 614, NO_SUCH = 617 };
enum { GET_FEATURES = 0x42000000 + 3400, VERIFY = 0x42330001, MODIFY = 0x42330002, TLV = 0x4233000C };
enum { VERIFY_HEAD = 19, MODIFY_HEAD = 24, APDU_HEAD = 5, MAX_APDU = 261, MAX_CODE = 16 };

static void *real(const char *name)
{
    static void *driver;
    if (!driver)
        driver = dlopen(REAL, RTLD_NOW | RTLD_LOCAL);
    return driver ? dlsym(driver, name) : NULL;
}

#define PASS(name, types, arguments) \
    word name types { word (*call) types = (word (*) types)real(#name); return call ? call arguments : NO_SUCH; }

PASS(IFDHCreateChannel, (word lun, word channel), (lun, channel))
PASS(IFDHCreateChannelByName, (word lun, char *device), (lun, device))
PASS(IFDHCloseChannel, (word lun), (lun))
PASS(IFDHGetCapabilities, (word lun, word tag, word *length, unsigned char *value), (lun, tag, length, value))
PASS(IFDHSetCapabilities, (word lun, word tag, word length, unsigned char *value), (lun, tag, length, value))
PASS(IFDHSetProtocolParameters, (word lun, word protocol, unsigned char flags, unsigned char pts1, unsigned char pts2,
     unsigned char pts3), (lun, protocol, flags, pts1, pts2, pts3))
PASS(IFDHPowerICC, (word lun, word action, unsigned char *atr, word *length), (lun, action, atr, length))
PASS(IFDHTransmitToICC, (word lun, header send, unsigned char *out, word outs, unsigned char *in, word *ins,
     header *got), (lun, send, out, outs, in, ins, got))
PASS(IFDHICCPresence, (word lun), (lun))

static int ask(const char *question, char *answer, size_t room)
{
    struct sockaddr_un place = { .sun_family = AF_UNIX };
    int fingers = socket(AF_UNIX, SOCK_STREAM, 0);
    size_t got = 0;
    ssize_t part;

    strncpy(place.sun_path, FINGERS, sizeof place.sun_path - 1);
    if (connect(fingers, (struct sockaddr *)&place, sizeof place) || write(fingers, question, strlen(question)) < 0) {
        close(fingers);
        return 0;
    }
    while (got < room - 1 && (part = read(fingers, answer + got, room - 1 - got)) > 0)
        got += (size_t)part;
    answer[got] = 0;
    close(fingers);
    return got > 0;
}

static word say(unsigned status, unsigned char *answer, word *returned)
{
    answer[0] = (unsigned char)(status >> 8);
    answer[1] = (unsigned char)status;
    *returned = 2;
    return OK;
}

/* Put the digits of each code into its place, as a reader does: ASCII, from the left, up to the place's end. */
static unsigned fill(unsigned char *apdu, const unsigned char *asked, char *codes, int modify)
{
    int longest = asked[modify ? 7 : 5], shortest = asked[modify ? 8 : 6], block = asked[3] & 15, number = 0;
    char typed[3][MAX_CODE + 1] = { "", "", "" };

    for (char *code = strtok(codes, " \n"); code && number < 3; code = strtok(NULL, " \n")) {
        int length = (int)strlen(code);
        if (length < shortest || length > longest || length > MAX_CODE || (block && length > block))
            return 0x6403;
        memcpy(typed[number++], code, (size_t)length);
    }
    if (number != (modify ? 3 : 1))
        return 0x6400;
    if (modify && strcmp(typed[1], typed[2]))
        return 0x6402;
    for (number = 0; number < (modify ? 2 : 1); number++) {
        int offset = modify ? asked[5 + number] : 0;
        if (APDU_HEAD + offset + (int)strlen(typed[number]) > APDU_HEAD + apdu[4])
            return 0x6B80;
        memcpy(apdu + APDU_HEAD + offset, typed[number], strlen(typed[number]));
    }
    return 0;
}

static word enter(word lun, const unsigned char *asked, word length, unsigned char *answer, word room, word *returned,
                  int modify)
{
    word head = modify ? MODIFY_HEAD : VERIFY_HEAD, got = room;
    unsigned char apdu[MAX_APDU];
    char question[40], codes[64];
    uint32_t data;
    unsigned refused;
    header out = { 0, 0 }, in = { 0, 0 };

    if (length < head + APDU_HEAD || length - head > MAX_APDU)
        return say(0x6B80, answer, returned);
    memcpy(&data, asked + head - 4, sizeof data);
    if (data != length - head || asked[2] != 0x82 || asked[4] != 0 || asked[head + 4] != data - APDU_HEAD)
        return say(0x6B80, answer, returned);
    memcpy(apdu, asked + head, data);
    snprintf(question, sizeof question, "%c %d %d %u\n", modify ? 'M' : 'V', asked[modify ? 8 : 6],
             asked[modify ? 7 : 5], data);
    if (!ask(question, codes, sizeof codes))
        return say(0x6400, answer, returned);
    if (codes[0] == '!')
        return say((unsigned)strtoul(codes + 1, NULL, 16), answer, returned);
    refused = fill(apdu, asked, codes, modify);
    if (refused)
        return say(refused, answer, returned);
    if (IFDHTransmitToICC(lun, out, apdu, data, answer, &got, &in) != OK)
        return COMMUNICATION;
    *returned = got;
    return OK;
}

word IFDHControl(word lun, word code, unsigned char *asked, word length, unsigned char *answer, word room,
                 word *returned)
{
    const char *told = code == GET_FEATURES ? FEATURES : code == TLV ? PROPERTIES : NULL;
    word told_length = code == GET_FEATURES ? sizeof FEATURES - 1 : sizeof PROPERTIES - 1;

    *returned = 0;
    if (told) {
        if (room < told_length)
            return COMMUNICATION;
        memcpy(answer, told, told_length);
        *returned = told_length;
        return OK;
    }
    if (code == VERIFY || code == MODIFY)
        return enter(lun, asked, length, answer, room, returned, code == MODIFY);
    return NOT_SUPPORTED;
}

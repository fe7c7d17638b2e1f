/* SPDX-License-Identifier: Apache-2.0 */
/* Device types: the numbers by which phones say what model they are. */
#ifndef PROTOCOLS_SCCP_DEVICES_H
#define PROTOCOLS_SCCP_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

/* X(number, model), specs: sccp 7 (Wireshark's dissector and chan-sccp). SIP
 * phones use the same numbers. */
#define SCCP_DEVICE_TYPE_LIST(X)                \
	X(1, "30SP+")                           \
	X(2, "12SP+")                           \
	X(3, "12SP")                            \
	X(4, "12")                              \
	X(5, "30VIP")                           \
	X(6, "7910")                            \
	X(7, "7960")                            \
	X(8, "7940")                            \
	X(9, "7935")                            \
	X(10, "VGC phone")                      \
	X(11, "VGC virtual phone")              \
	X(12, "ATA186")                         \
	X(13, "ATA188")                         \
	X(20, "Virtual 30SP+")                  \
	X(48, "VGC gateway")                    \
	X(50, "conference bridge")              \
	X(51, "conference bridge (WS-X6608)")   \
	X(52, "IOS conference bridge")          \
	X(53, "conference bridge (WS-SVC-CMM)") \
	X(70, "music on hold")                  \
	X(72, "TAPI port")                      \
	X(73, "TAPI route point")               \
	X(110, "media termination point")       \
	X(111, "IOS media termination point")   \
	X(112, "transcoder (WS-X6608)")         \
	X(113, "transcoder (WS-SVC-CMM)")       \
	X(115, "7941")                          \
	X(118, "7971GE")                        \
	X(119, "7971")                          \
	X(124, "7914")                          \
	X(126, "annunciator")                   \
	X(131, "SIP trunk")                     \
	X(227, "7915 12 keys")                  \
	X(228, "7915 24 keys")                  \
	X(229, "7916 12 keys")                  \
	X(230, "7916 24 keys")                  \
	X(302, "7985")                          \
	X(307, "7911")                          \
	X(308, "7961GE")                        \
	X(309, "7941GE")                        \
	X(335, "Motorola CN622")                \
	X(336, "third-party SIP basic")         \
	X(348, "7931")                          \
	X(358, "Personal Communicator")         \
	X(365, "7921")                          \
	X(369, "7906")                          \
	X(374, "third-party SIP advanced")      \
	X(375, "TelePresence")                  \
	X(404, "7962")                          \
	X(412, "3951")                          \
	X(431, "7937")                          \
	X(434, "7942")                          \
	X(435, "7945")                          \
	X(436, "7965")                          \
	X(437, "7975")                          \
	X(484, "7925")                          \
	X(493, "9971")                          \
	X(495, "6921")                          \
	X(496, "6941")                          \
	X(497, "6961")                          \
	X(503, "CSF")                           \
	X(537, "9951")                          \
	X(540, "8961")                          \
	X(547, "6901")                          \
	X(548, "6911")                          \
	X(564, "6945")                          \
	X(577, "7926")                          \
	X(585, "8945")                          \
	X(586, "8941")                          \
	X(20000, "7905")                        \
	X(30002, "7920")                        \
	X(30006, "7970")                        \
	X(30007, "7912")                        \
	X(30008, "7902")                        \
	X(30016, "IP Communicator")             \
	X(30018, "7961")                        \
	X(30019, "7936")                        \
	X(30027, "analog phone")                \
	X(30028, "BRI phone")                   \
	X(30032, "SCCP gateway virtual phone")  \
	X(30035, "IP-STE")                      \
	X(80000, "SPA521S")                     \
	X(80001, "SPA524SG")                    \
	X(80003, "SPA502G")                     \
	X(80004, "SPA504G")                     \
	X(80005, "SPA525G")                     \
	X(80006, "SPA508G")                     \
	X(80007, "SPA509G")                     \
	X(80009, "SPA525G2")                    \
	X(80011, "SPA303G")                     \
	X(80012, "SPA512G")                     \
	X(80013, "SPA514G")

/* The model's name, or NULL. */
const char *sccp_device_type_name(uint32_t type);

/* Does the type speak SPCP, as the SPA phones do? */
bool sccp_device_type_is_spcp(uint32_t type);

/*
 * May a phone of this type be called `model`? Of names with a number the
 * number counts ("CP-7941G", "Cisco 7941" and "7941GE" are all 7941); of the
 * others one must hold the other, without case. An unknown type may be
 * anything, and so may a phone of a model "".
 */
bool sccp_device_type_fits(uint32_t type, const char *model);

#endif

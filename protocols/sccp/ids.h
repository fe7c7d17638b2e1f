/* SPDX-License-Identifier: Apache-2.0 */
/* Every SCCP message id we know: name, direction and mandatory body. */
#ifndef PROTOCOLS_SCCP_IDS_H
#define PROTOCOLS_SCCP_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who sends a message. */
enum sccp_way {
	SCCP_UP,   /* phone to server */
	SCCP_DOWN, /* server to phone */
};

/*
 * X(symbol, id, name, way, mandatory bytes of body). 0x0087 and 0x009A are
 * missing on purpose: newer phones drop the connection at them, so nobody
 * here may send them and our phone refuses them like any unknown id.
 */
#define SCCP_ID_LIST(X)                                                      \
	X(KEEP_ALIVE, 0x0000, "KeepAlive", UP, 0)                            \
	X(REGISTER, 0x0001, "Register", UP, 36)                              \
	X(IP_PORT, 0x0002, "IpPort", UP, 0)                                  \
	X(KEYPAD_BUTTON, 0x0003, "KeypadButton", UP, 0)                      \
	X(ENBLOC_CALL, 0x0004, "EnblocCall", UP, 0)                          \
	X(STIMULUS, 0x0005, "Stimulus", UP, 0)                               \
	X(OFF_HOOK, 0x0006, "OffHook", UP, 0)                                \
	X(ON_HOOK, 0x0007, "OnHook", UP, 0)                                  \
	X(HOOK_FLASH, 0x0008, "HookFlash", UP, 0)                            \
	X(FORWARD_STAT_REQ, 0x0009, "ForwardStatReq", UP, 0)                 \
	X(SPEED_DIAL_STAT_REQ, 0x000a, "SpeedDialStatReq", UP, 0)            \
	X(LINE_STAT_REQ, 0x000b, "LineStatReq", UP, 0)                       \
	X(CONFIG_STAT_REQ, 0x000c, "ConfigStatReq", UP, 0)                   \
	X(TIME_DATE_REQ, 0x000d, "TimeDateReq", UP, 0)                       \
	X(BUTTON_TEMPLATE_REQ, 0x000e, "ButtonTemplateReq", UP, 0)           \
	X(VERSION_REQ, 0x000f, "VersionReq", UP, 0)                          \
	X(CAPABILITIES_RES, 0x0010, "CapabilitiesRes", UP, 0)                \
	X(SERVER_REQ, 0x0012, "ServerReq", UP, 0)                            \
	X(ALARM, 0x0020, "Alarm", UP, 0)                                     \
	X(SOFT_KEY_SET_REQ, 0x0025, "SoftKeySetReq", UP, 0)                  \
	X(SOFT_KEY_EVENT, 0x0026, "SoftKeyEvent", UP, 0)                     \
	X(UNREGISTER, 0x0027, "Unregister", UP, 0)                           \
	X(SOFT_KEY_TEMPLATE_REQ, 0x0028, "SoftKeyTemplateReq", UP, 0)        \
	X(TOKEN_REQ, 0x0029, "RegisterTokenReq", UP, 16)                     \
	X(HEADSET_STATUS, 0x002b, "HeadsetStatus", UP, 0)                    \
	X(MEDIA_RESOURCE, 0x002c, "MediaResourceNotification", UP, 0)        \
	X(AVAILABLE_LINES, 0x002d, "RegisterAvailableLines", UP, 0)          \
	X(UPDATE_CAPABILITIES, 0x0030, "UpdateCapabilities", UP, 0)          \
	X(SERVICE_URL_STAT_REQ, 0x0033, "ServiceURLStatReq", UP, 0)          \
	X(FEATURE_STAT_REQ, 0x0034, "FeatureStatReq", UP, 0)                 \
	X(UPDATE_CAPABILITIES_V2, 0x0043, "UpdateCapabilitiesV2", UP, 0)     \
	X(UPDATE_CAPABILITIES_V3, 0x0044, "UpdateCapabilitiesV3", UP, 0)     \
	X(SUBSCRIPTION_STAT_REQ, 0x0048, "SubscriptionStatReq", UP, 0)       \
	X(ACCESSORY_STATUS, 0x0049, "AccessoryStatus", UP, 0)                \
	X(MEDIA_PATH, 0x004a, "MediaPathCapability", UP, 0)                  \
	X(LOCATION_INFO, 0x0157, "LocationInfo", UP, 0)                      \
	X(EXTENSION_CAPS, 0x0159, "ExtensionDeviceCaps", UP, 0)              \
	X(XML_ALARM, 0x015a, "XMLAlarm", UP, 0)                              \
	X(SPCP_TOKEN_REQ, 0x8000, "SPCPRegisterTokenReq", UP, 16)            \
	X(REGISTER_ACK, 0x0081, "RegisterAck", DOWN, 12)                     \
	X(SET_RINGER, 0x0085, "SetRinger", DOWN, 0)                          \
	X(SET_LAMP, 0x0086, "SetLamp", DOWN, 0)                              \
	X(FORWARD_STAT, 0x0090, "ForwardStatRes", DOWN, 0)                   \
	X(SPEED_DIAL_STAT, 0x0091, "SpeedDialStatRes", DOWN, 0)              \
	X(LINE_STAT, 0x0092, "LineStatRes", DOWN, 0)                         \
	X(CONFIG_STAT, 0x0093, "ConfigStatRes", DOWN, 0)                     \
	X(DEFINE_TIME_DATE, 0x0094, "DefineTimeDate", DOWN, 0)               \
	X(BUTTON_TEMPLATE, 0x0097, "ButtonTemplateRes", DOWN, 0)             \
	X(VERSION_RES, 0x0098, "VersionRes", DOWN, 0)                        \
	X(CAPABILITIES_REQ, 0x009b, "CapabilitiesReq", DOWN, 0)              \
	X(REGISTER_REJECT, 0x009d, "RegisterReject", DOWN, 0)                \
	X(SERVER_RES, 0x009e, "ServerRes", DOWN, 0)                          \
	X(RESET, 0x009f, "Reset", DOWN, 0)                                   \
	X(KEEP_ALIVE_ACK, 0x0100, "KeepAliveAck", DOWN, 0)                   \
	X(SOFT_KEY_TEMPLATE, 0x0108, "SoftKeyTemplateRes", DOWN, 0)          \
	X(SOFT_KEY_SET, 0x0109, "SoftKeySetRes", DOWN, 0)                    \
	X(SELECT_SOFT_KEYS, 0x0110, "SelectSoftKeys", DOWN, 0)               \
	X(DISPLAY_PROMPT, 0x0112, "DisplayPromptStatus", DOWN, 0)            \
	X(CLEAR_PROMPT, 0x0113, "ClearPromptStatus", DOWN, 0)                \
	X(DISPLAY_NOTIFY, 0x0114, "DisplayNotify", DOWN, 0)                  \
	X(CLEAR_NOTIFY, 0x0115, "ClearNotify", DOWN, 0)                      \
	X(UNREGISTER_ACK, 0x0118, "UnregisterAck", DOWN, 0)                  \
	X(TOKEN_ACK, 0x011a, "RegisterTokenAck", DOWN, 0)                    \
	X(TOKEN_REJECT, 0x011b, "RegisterTokenReject", DOWN, 0)              \
	X(FEATURE_STAT, 0x011f, "FeatureStatRes", DOWN, 0)                   \
	X(DISPLAY_PRI_NOTIFY, 0x0120, "DisplayPriNotify", DOWN, 0)           \
	X(CLEAR_PRI_NOTIFY, 0x0121, "ClearPriNotify", DOWN, 0)               \
	X(SERVICE_URL_STAT, 0x012f, "ServiceURLStatRes", DOWN, 0)            \
	X(DISPLAY_NOTIFY_V2, 0x0143, "DisplayDynamicNotify", DOWN, 0)        \
	X(DISPLAY_PRI_NOTIFY_V2, 0x0144, "DisplayDynamicPriNotify", DOWN, 0) \
	X(DISPLAY_PROMPT_V2, 0x0145, "DisplayDynamicPromptStatus", DOWN, 0)  \
	X(FEATURE_STAT_V2, 0x0146, "FeatureStatV2Res", DOWN, 0)              \
	X(LINE_STAT_V2, 0x0147, "LineStatV2Res", DOWN, 0)                    \
	X(SERVICE_URL_STAT_V2, 0x0148, "ServiceURLStatV2Res", DOWN, 0)       \
	X(SUBSCRIPTION_STAT, 0x0152, "SubscriptionStatRes", DOWN, 0)         \
	X(SPCP_TOKEN_ACK, 0x8100, "SPCPRegisterTokenAck", DOWN, 0)           \
	X(SPCP_TOKEN_REJECT, 0x8101, "SPCPRegisterTokenReject", DOWN, 0)

enum sccp_id {
#define X(symbol, id, name, way, body) SCCP_ID_##symbol = (id),
	SCCP_ID_LIST(X)
#undef X
};

/* The message's name, or "unknown". */
const char *sccp_id_name(uint32_t id);
/* Is this a message that the given side sends? */
bool sccp_id_known(uint32_t id, enum sccp_way way);
/* Bytes of body without which the message says nothing; 0 when unknown. */
size_t sccp_id_body_min(uint32_t id);

#endif

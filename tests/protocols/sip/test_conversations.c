/* SPDX-License-Identifier: Apache-2.0 */
/* Every SIP conversation, whole, split at every byte and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "protocols/sip/message.h"
#include "tests/protocols/sip/host.h"

static void server_keeps_every_conversation(void **state)
{
	conversation_run_folder(&sip_host_engine, "tests/conversations/sip");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_keeps_every_conversation),
	};
	sip_message_setup();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"sip-conversations", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an inventory to import: good devices alone, or why not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/admin/device_csv.h"
#include "registrar/device_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

static struct inventory *make_inventory(void)
{
	struct config *config;
	struct diag d;
	check(config_load(NULL, "/", &config, &d) == 0);
	return inventory_new(config);
}

static void check_devices(struct device **devices, size_t n)
{
	struct device_fault fault;
	for (size_t i = 0; i < n; i++)
		check(device_check(devices[i], &fault));
	inventory_list_free(devices, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct inventory *inv;
	static struct device_csv_faults faults;
	struct device **devices = NULL;
	size_t n = 0;
	char *text = malloc(size + 1);
	check(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (!inv)
		inv = make_inventory();
	int error = device_csv_read(
		inv, "realm", text, size, &devices, &n, &faults);
	check(error ? faults.n > 0 && faults.n <= DEVICE_CSV_FAULTS
		    : faults.n == 0);
	for (size_t i = 0; i < faults.n; i++)
		check(faults.list[i].line > 0 && faults.list[i].why[0]);
	if (!error)
		check_devices(devices, n);
	free(text);
	return 0;
}

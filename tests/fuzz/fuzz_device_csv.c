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
	static struct device_csv file;
	char *text = malloc(size + 1);
	check(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (!inv)
		inv = make_inventory();
	int error = device_csv_read(inv, "realm", text, size, &file);
	check(error ? file.n_faults > 0 && file.n_faults <= DEVICE_CSV_FAULTS
		    : file.n_faults == 0);
	for (size_t i = 0; i < file.n_faults; i++)
		check(file.faults[i].line > 0 && file.faults[i].why[0]);
	check_devices(file.devices, file.n_devices);
	free(text);
	return 0;
}

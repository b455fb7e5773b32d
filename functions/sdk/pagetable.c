/*
 * The kernel copies the page tables of a mapping at fork if the mapping has
 * pages of its own (vma_needs_copy in mm/memory.c), and leaves those of plain
 * file mappings to be faulted in again.  Writing one byte as it is gives a
 * mapping such a page.  It saves a dozen faults a child, of 1 to 2 us each.
 * The segment of the headers, which only start-up reads, is left out.
 */
#include "pagetable.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static int
protection(ElfW(Word) flags)
{
	return (flags & PF_R ? PROT_READ : 0) | (flags & PF_X ? PROT_EXEC : 0);
}

/* It reads what lies between the program's variables, too. */
static void __attribute__((no_sanitize("address")))
touch(uintptr_t start, uintptr_t end, int prot)
{
	volatile char *first = (volatile char *)start;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t at;

	if (mprotect((void *)start, end - start, prot | PROT_WRITE) < 0)
		return;
	/* cppcheck-suppress selfAssignment ; a write is what it needs */
	*first = *first;
	mprotect((void *)start, end - start, prot);
	for (at = start; at < end; at += page)
		(void)*(volatile char *)at;
}

/* The program itself comes first; its read-only segments are touched. */
static int
visit(struct dl_phdr_info *info, size_t size, void *unused)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	size_t i;

	(void)size;
	(void)unused;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W) &&
		    (p->p_offset || p->p_flags & PF_X))
			touch(start & ~(page - 1),
			    (start + p->p_memsz + page - 1) & ~(page - 1),
			    protection(p->p_flags));
	}
	return 1;
}

void
pagetable_keep(void)
{
	dl_iterate_phdr(visit, NULL);
}

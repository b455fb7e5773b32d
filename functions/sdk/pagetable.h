/*
 * Fork copies no page tables of mapped files, so a child would take a fault
 * for each stretch of code it comes through.  This makes it copy them.
 */
#ifndef SDK_PAGETABLE_H
#define SDK_PAGETABLE_H

/*
 * Makes children of this process begin with its code and constants mapped.
 * Once, before the first fork; a failure only costs time.
 */
void pagetable_keep(void);

#endif

#!/bin/bash -e
# As every stage of pi-gen begins: with what the one before it left.
if [ ! -d "${ROOTFS_DIR}" ]; then
    copy_previous
fi

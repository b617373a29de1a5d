# SPDX-License-Identifier: MIT
# What Debian wants of the installed files, before CPack packs them: man pages and the changelog
# compressed, foreign libraries stripped and without the current folder in their search path.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
if(NOT EXISTS ${root}/usr)
    set(root ${CPACK_TEMPORARY_DIRECTORY})
endif()
file(GLOB pages ${root}/usr/share/man/man1/*.1)
execute_process(COMMAND gzip -9nf ${pages} ${root}/usr/share/doc/doze/changelog
    COMMAND_ERROR_IS_FATAL ANY)
file(GLOB libraries ${root}/usr/lib/doze/*.so ${root}/usr/lib/doze/*.so.*)
foreach(library IN LISTS libraries)
    if(NOT IS_SYMLINK ${library})
        execute_process(COMMAND strip --strip-unneeded ${library} COMMAND_ERROR_IS_FATAL ANY)
        file(CHMOD ${library} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    endif()
endforeach()
file(GLOB libraries ${root}/usr/lib/doze/libggml*.so ${root}/usr/lib/doze/libllama*.so)
execute_process(COMMAND chrpath --replace $ORIGIN ${libraries} OUTPUT_QUIET
    COMMAND_ERROR_IS_FATAL ANY)

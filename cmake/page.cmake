# SPDX-License-Identifier: MIT
# doze_page(TARGET): the web page becomes a part of TARGET. Where web/dist is missing or older than
# its sources it is built first, with npm (setup/page.sh); a release tarball contains web/dist, and
# then no npm is needed.
function(doze_page target)
    set(web ${PROJECT_SOURCE_DIR}/web)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${web}/src/*)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/page_files.c)
    add_custom_command(OUTPUT ${web}/dist/.stamp
        COMMAND sh ${PROJECT_SOURCE_DIR}/setup/page.sh
        DEPENDS ${sources} ${web}/index.html ${web}/vite.config.ts ${web}/tsconfig.json
            ${web}/package.json ${web}/package-lock.json
        COMMENT "The web page" VERBATIM)
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -D DIST=${web}/dist -D OUT=${out}
            -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        DEPENDS ${web}/dist/.stamp ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        COMMENT "Embedding the web page" VERBATIM)
    target_sources(${target} PRIVATE ${out})
endfunction()
